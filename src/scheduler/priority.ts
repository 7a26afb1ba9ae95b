import type { V1Pod } from "../gen/types.ts";

/** What admission wrote; 0 without. @spec component-helpers scheduling/corev1 PodPriority */
export function priorityOf({ spec }: V1Pod): number {
  return spec?.priority ?? 0;
}
