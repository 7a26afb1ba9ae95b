/**
 * Labels and annotations that the kubelet puts on sandboxes and containers, and reads back after a restart.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/labels.go; kubelet/types/labels.go
 */
export const LABEL_POD_NAME = "io.kubernetes.pod.name";
export const LABEL_POD_NAMESPACE = "io.kubernetes.pod.namespace";
export const LABEL_POD_UID = "io.kubernetes.pod.uid";
export const LABEL_CONTAINER_NAME = "io.kubernetes.container.name";
export const ANNOTATION_HASH = "io.kubernetes.container.hash";
export const ANNOTATION_RESTART_COUNT = "io.kubernetes.container.restartCount";
export const ANNOTATION_MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath";
export const ANNOTATION_MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy";
export const ANNOTATION_GRACE = "io.kubernetes.pod.terminationGracePeriod";
/** Ours: the resources that a container was made with, as JSON. */
export const ANNOTATION_RESOURCES = "skiff.dev/resources";
/** Ours: the node's name, so that two kubelets on one runtime leave each other's Pods alone. */
export const LABEL_NODE = "skiff.dev/node";
