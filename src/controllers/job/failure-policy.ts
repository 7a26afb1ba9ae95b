import type {
  V1ContainerStatus,
  V1PodFailurePolicy,
  V1PodFailurePolicyOnExitCodesRequirement,
  V1PodFailurePolicyRule,
} from "../../gen/types.ts";
import type { Pod } from "../../api/core/pod.ts";

/** What a policy says of one failed Pod. */
export interface FailureVerdict {
  /** `undefined`: no rule matches. */
  readonly action?: "Ignore" | "Count" | "FailJob" | "FailIndex";
  /** Whether the failure counts towards the limits. */
  readonly isCounted: boolean;
  /** Of FailJob: what the Job's condition says. */
  readonly message?: string;
}

const COUNTED: FailureVerdict = { isCounted: true };

/**
 * The verdict of the first rule that matches; a rule with an unknown action is passed over.
 *
 * @spec k8s@1.36 pkg/controller/job/pod_failure_policy.go matchPodFailurePolicy
 */
export function judgeFailure(policy: V1PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = whatMatches(rule, pod);
    if (what === undefined) continue;
    const { action } = rule;
    if (action === "Ignore") return { action, isCounted: false };
    if (action === "Count" || action === "FailIndex") return { action, isCounted: true };
    if (action === "FailJob") {
      return {
        action,
        isCounted: true,
        message: `${what} matching FailJob rule at index ${index}`,
      };
    }
  }
  return COUNTED;
}

/** What of the Pod matches the rule, in upstream's words; `undefined`: nothing does. */
function whatMatches(rule: V1PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace, name } = pod.metadata ?? {};
  if (rule.onExitCodes) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const match = [...containerStatuses, ...initContainerStatuses].find((status) =>
      hasExitCode(status, rule.onExitCodes!),
    );
    const code = match?.state?.terminated?.exitCode;
    return (
      match && `Container ${match.name} for pod ${namespace}/${name} failed with exit code ${code}`
    );
  }
  const match = pod.status?.conditions?.find((condition) =>
    rule.onPodConditions?.some(
      ({ type, status }) => type === condition.type && status === condition.status,
    ),
  );
  return match && `Pod ${namespace}/${name} has condition ${match.type}`;
}

function hasExitCode(
  { name, state }: V1ContainerStatus,
  { containerName, operator, values }: V1PodFailurePolicyOnExitCodesRequirement,
): boolean {
  const code = state?.terminated?.exitCode ?? 0;
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
  return operator === "In" ? values.includes(code) : operator === "NotIn" && !values.includes(code);
}
