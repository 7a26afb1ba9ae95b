/** Labels of an EndpointSlice: whose it is, and who looks after it. @spec k8s@1.36 api/discovery/v1 well_known_labels.go */
export const SERVICE_LABEL = "kubernetes.io/service-name";
export const MANAGED_LABEL = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "endpointslice-controller.k8s.io";

/** @spec kube-controller-manager --max-endpoints-per-slice. Doubling doubles what one Pod's change sends to every node. */
export const ENDPOINTS_MAX = 100;
