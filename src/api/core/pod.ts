import type { V1Pod } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { podColumns } from "./pod-columns.ts";

export type Pod = V1Pod;

export const Pod: Kind<Pod> = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/pod/strategy.go */
export const podResource: Resource<Pod> = {
  kind: Pod,
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  strategy: statusStrategy<Pod>(
    { initialStatus: { phase: "Pending" }, countsGenerations: true },
    { withDefaults: withPodDefaults },
  ),
  subresources: { status: statusSubresource<Pod>() },
  columns: podColumns,
  selectableFields: {
    "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec?.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec?.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec?.hostNetwork ?? false),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
};
