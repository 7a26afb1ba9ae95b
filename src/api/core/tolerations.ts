import type { V1Taint, V1Toleration } from "../../gen/types.ts";

/** True when one of the tolerations accepts the taint. @spec k8s@1.36 component-helpers TolerationsTolerateTaint */
export function isTolerated(taint: V1Taint, tolerations: readonly V1Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

function tolerates(toleration: V1Toleration, taint: V1Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "Equal") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "") && Boolean(toleration.key);
    case "Exists":
      return true;
    default:
      return false;
  }
}
