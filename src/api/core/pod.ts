import type { V1Pod } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { SharedField } from "../machinery/shared-field.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { podColumns } from "./pod-columns.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { withLabelKeys } from "./pod-label-keys.ts";
import { SPECS_MAX } from "./pod-specs.ts";
import { keepOutsideStatus, validatePodStatus, withInitialStatus } from "./pod-status.ts";
import { validatePodChange } from "./pod-update.ts";
import { podWarnings } from "./pod-warnings.ts";
import { validateNewPod, validatePod } from "./pod-validation.ts";

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
    { countsGenerations: true },
    {
      withDefaults: withPodDefaults,
      prepareForCreate: (pod, facts) => withLabelKeys(withInitialStatus(pod, facts)),
      validate: validatePod,
      validateNew: validateNewPod,
      validateChange: validatePodChange,
      warnings: podWarnings,
      graceSeconds,
    },
  ),
  subresources: { status: statusSubresource<Pod>(validatePodStatus, keepOutsideStatus) },
  columns: podColumns,
  sharedField: new SharedField("spec", SPECS_MAX),
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

/** A pod that runs nowhere has nothing to wait for. @spec podStrategy.CheckGracefulDelete */
function graceSeconds({ spec, status }: Pod, requested: number | undefined): number {
  const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
  if (!spec?.nodeName || isOver) return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}
