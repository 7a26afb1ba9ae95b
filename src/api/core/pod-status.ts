import { firstBy } from "../../base/first-by.ts";
import { formatTime, type Instant } from "../../base/clock.ts";
import type { V1Container, V1ContainerStatus, V1Pod, V1PodCondition } from "../../gen/types.ts";
import { forbidden } from "../machinery/field-error.ts";
import { validateDnsSubdomain, validateQualifiedName } from "../machinery/names.ts";
import type { RequestFacts } from "../machinery/resource.ts";
import { each, invalids, ipAddress, when, type Errors } from "../strategy/checks.ts";
import { mapField, withField } from "../strategy/strategy.ts";
import { qosClassOf } from "./pod-qos.ts";

/** Status of a pod that nobody has seen yet. @spec k8s@1.36 pkg/registry/core/pod podStrategy.PrepareForCreate */
export function withInitialStatus(pod: V1Pod, { now }: RequestFacts): V1Pod {
  const spec = pod.spec ?? { containers: [] };
  const pending = { phase: "Pending", qosClass: qosClassOf(spec) };
  const isGated = (spec.schedulingGates ?? []).length > 0;
  const status = isGated ? { conditions: [gatedAt(now)], ...pending } : pending;
  // A new field costs less before a spread than behind it.
  return "status" in pod ? { ...pod, status } : { status, ...pod };
}

function gatedAt(now: Instant): V1PodCondition {
  return {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
    lastTransitionTime: formatTime(now),
    observedGeneration: 1,
  };
}

/** What a status update may not touch. @spec podStatusStrategy.PrepareForUpdate */
export function keepOutsideStatus(pod: V1Pod, old: V1Pod): V1Pod {
  const owned = mapField(pod, "metadata", (metadata) =>
    withField(metadata, "ownerReferences", old.metadata?.ownerReferences),
  );
  const status = withField(owned.status ?? {}, "qosClass", old.status?.qosClass);
  return { ...owned, status };
}

/** @spec k8s@1.36 pkg/apis/core/validation ValidatePodStatusUpdate */
export function validatePodStatus(pod: V1Pod, old: V1Pod): Errors {
  const status = pod.status ?? {};
  const node = status.nominatedNodeName;
  const isRestartable = old.spec?.restartPolicy === "Always";
  return [
    ...each(status.conditions, "status.conditions", ({ type }, path) =>
      invalids(`${path}.type`, type, validateQualifiedName(type ?? "")),
    ),
    ...(node ? invalids("status.nominatedNodeName", node, validateDnsSubdomain(node)) : []),
    ...each(status.podIPs, "status.podIPs", ({ ip }, path) => ipAddress(path, ip)),
    ...(isRestartable
      ? []
      : (["containerStatuses", "initContainerStatuses"] as const).flatMap((list) =>
          noRevival(status[list], old, list),
        )),
  ];
}

/** A container that ended for good stays so. @spec ValidateContainerStateTransition */
function noRevival(
  statuses: readonly V1ContainerStatus[] = [],
  old: V1Pod,
  list: "containerStatuses" | "initContainerStatuses",
): Errors {
  const byName = firstBy(statuses, ({ name }) => name);
  const { containers = [] as V1Container[], initContainers = [] } = old.spec ?? {};
  const specs = firstBy([...containers, ...initContainers], ({ name }) => name);
  return each(old.status?.[list], `status.${list}`, (before, path) => {
    const ended = before.state?.terminated;
    if (ended === undefined || mayRestart(old, specs.get(before.name), ended.exitCode)) return [];
    const after = byName.get(before.name);
    return when(
      after !== undefined && after.state?.terminated === undefined,
      forbidden(`${path}.state`, "may not be transitioned to non-terminated state"),
    );
  });
}

/** By the container's own policy, its rules, or the pod's policy. */
function mayRestart(
  { spec }: V1Pod,
  container: V1Container | undefined,
  exitCode: number,
): boolean {
  const policy = container?.restartPolicy ?? spec?.restartPolicy;
  if (policy === "Always" || (container?.restartPolicyRules ?? []).length > 0) return true;
  return policy === "OnFailure" && exitCode !== 0;
}
