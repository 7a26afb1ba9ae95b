import type { Pod } from "../../api/core/pod.ts";
import { SPECS_MAX } from "../../api/core/pod-specs.ts";
import { remembered } from "../../base/recent.ts";
import type { V1PodSpec, V1Toleration } from "../../gen/types.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout } from "./refusal.ts";

/** How long Pods stay on a node that went away. @spec k8s@1.36 --default-not-ready-toleration-seconds */
const TOLERATION_SECONDS = 300;

const KEYS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;

/**
 * Pods that say nothing of lost nodes tolerate them for five minutes.
 *
 * @spec k8s@1.36 plugin/pkg/admission/defaulttolerationseconds
 */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",

  handles: (call) =>
    (call.operation === "CREATE" || call.operation === "UPDATE") && isAbout(call, "pods"),

  admit(call: AdmissionCall): Pod | undefined {
    const pod = call.object as Pod;
    const spec = tolerant(pod.spec!);
    return spec === pod.spec ? undefined : { ...pod, spec };
  },
};

const tolerant = remembered(SPECS_MAX, (spec: V1PodSpec): V1PodSpec => {
  const tolerations = spec.tolerations ?? [];
  const missing = KEYS.filter((key) => !tolerations.some((one) => tolerates(one, key)));
  if (missing.length === 0) return spec;
  const added = missing.map((key) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: TOLERATION_SECONDS,
  }));
  return { ...spec, tolerations: [...tolerations, ...added] };
});

function tolerates({ key, effect }: V1Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}
