import type { V1PodDisruptionBudget } from "../../gen/types.ts";
import { commandFor, told, type Finding } from "./finding.ts";

/** Why a budget lets no Pod be evicted, or how many it does. Pure. */
export function explainBudget({ metadata, spec, status }: V1PodDisruptionBudget): {
  readonly summary: string;
  readonly findings: readonly Finding[];
} {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status ?? {};
  const allowed = status?.disruptionsAllowed ?? 0;
  const condition = status?.conditions?.find(({ type }) => type === "DisruptionAllowed");
  if (status?.observedGeneration !== metadata?.generation)
    return { summary: "Its last change has not been seen yet.", findings: [] };
  if (condition?.reason === "SyncFailed")
    return {
      summary: "It lets no Pod be evicted: what its Pods belong to is not known.",
      findings: [{ problem: told(condition.reason, condition.message) }],
    };
  if (expectedPods === 0)
    return {
      summary: "Its selector finds no Pods.",
      findings: [
        {
          problem: "nothing is protected",
          remedy: commandFor(metadata?.namespace, "get pods --show-labels"),
        },
      ],
    };
  const limit =
    spec?.maxUnavailable === undefined
      ? `minAvailable ${spec?.minAvailable ?? 1}`
      : `maxUnavailable ${spec.maxUnavailable}`;
  const counts = `of ${expectedPods} Pods ${desiredHealthy} must be healthy (${limit}), and ${currentHealthy} are`;
  if (allowed > 0)
    return { summary: `It lets ${allowed} more Pods be evicted: ${counts}.`, findings: [] };
  const remedy =
    desiredHealthy >= expectedPods
      ? "more replicas, or a budget that can do without one of them"
      : `its other Pods would have to be ready: ${commandFor(metadata?.namespace, "get pods")}`;
  return {
    summary: "It lets no Pod be evicted, so a drain waits.",
    findings: [{ problem: counts, remedy }],
  };
}
