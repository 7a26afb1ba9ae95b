import type {
  V1Container,
  V1NodeSelectorTerm,
  V1Pod,
  V1PodSpec,
  V1Toleration,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid } from "../machinery/field-error.ts";
import { each, inRange, when, INT32_MAX, type Errors } from "../strategy/checks.ts";
import { withField } from "../strategy/strategy.ts";
import { describeDifference } from "./pod-difference.ts";

const ONLY = [
  "pod updates may not change fields other than `spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

const ONLY_ADDITIONS = "only additions are allowed (no mutations or deletions)";
const TERMS =
  "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";

const NO_SPEC: V1PodSpec = { containers: [] };

/**
 * What of a pod's spec may change after its creation.
 *
 * @spec k8s@1.36 pkg/apis/core/validation ValidatePodUpdate
 */
export function validatePodChange(pod: V1Pod, stored: V1Pod): Errors {
  const [spec, old] = [pod.spec ?? NO_SPEC, stored.spec ?? NO_SPEC];
  if (spec === old) return [];
  const added = [
    ...sameCount(spec.containers, old.containers, "spec.containers"),
    ...sameCount(spec.initContainers, old.initContainers, "spec.initContainers"),
  ];
  if (added.length > 0) return added;
  const deadline = validateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  const rest = restored(spec, old);
  return [
    ...deadline,
    ...onlyAdded(spec.tolerations, old.tolerations),
    ...noNewGates(spec, old),
    ...validateNarrowing(spec, old),
    ...(equalSemantic(rest, old)
      ? []
      : [forbidden("spec", `${ONLY}\n${describeDifference(old, rest, "spec").join("\n")}`)]),
  ];
}

function sameCount(
  containers: readonly V1Container[] = [],
  old: readonly V1Container[] = [],
  field: string,
): Errors {
  return when(
    containers.length !== old.length,
    forbidden(field, "pod updates may not add or remove containers"),
  );
}

/** It may be set, and made shorter. */
function validateDeadline(seconds: number | undefined, old: number | undefined): Errors {
  const field = "spec.activeDeadlineSeconds";
  if (seconds === undefined) {
    const rule = "must not update from a positive integer to nil value";
    return when(old !== undefined, invalid(field, null, rule));
  }
  return [
    ...inRange(field, seconds, 0, INT32_MAX),
    ...when(
      old !== undefined && old < seconds,
      invalid(field, seconds, "must be less than or equal to previous value"),
    ),
  ];
}

function onlyAdded(
  tolerations: readonly V1Toleration[] = [],
  old: readonly V1Toleration[] = [],
): Errors {
  const bare = ({ key, operator, value, effect }: V1Toleration): string =>
    JSON.stringify([key, operator, value, effect].map((field) => field || ""));
  const kept = new Set(tolerations.map(bare));
  const isKept = (before: V1Toleration): boolean => kept.has(bare(before));
  const rule = "existing toleration can not be modified except its tolerationSeconds";
  return when(!old.every(isKept), forbidden("spec.tolerations", rule));
}

/** Gates only open: after creation none is added. */
function noNewGates({ schedulingGates }: V1PodSpec, old: V1PodSpec): Errors {
  const known = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  return each(schedulingGates, "spec.schedulingGates", ({ name }, path) =>
    when(
      !known.has(name),
      forbidden(path, `only deletion is allowed, but found new scheduling gate '${name}'`),
    ),
  );
}

/** The new spec with all that may change put back, so that whatever still differs is forbidden. */
function restored(spec: V1PodSpec, old: V1PodSpec): V1PodSpec {
  const images = (
    containers: readonly V1Container[] | undefined,
    before: readonly V1Container[] = [],
  ): readonly V1Container[] | undefined =>
    containers?.map((container, index) => withField(container, "image", before[index]?.image));
  const isGraceFixed =
    (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  const kept = {
    ...spec,
    containers: images(spec.containers, old.containers) ?? [],
    initContainers: images(spec.initContainers, old.initContainers) ?? [],
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations ?? [],
    schedulingGates: old.schedulingGates ?? [],
    ...(isGraceFixed && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
  } as V1PodSpec;
  return isGated(old) ? withPlacementOf(old, kept) : kept;
}

/** While a pod waits at its gates it may be narrowed to fewer nodes. */
function validateNarrowing(spec: V1PodSpec, old: V1PodSpec): Errors {
  if (!isGated(old)) return [];
  const selector = spec.nodeSelector ?? {};
  const isKept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => selector[key] === value,
  );
  return [
    ...when(!isKept, invalid("spec.nodeSelector", spec.nodeSelector, ONLY_ADDITIONS)),
    ...narrowedTerms(requiredTerms(spec), requiredTerms(old)),
  ];
}

function isGated({ schedulingGates }: V1PodSpec): boolean {
  return (schedulingGates ?? []).length > 0;
}

function requiredTerms({ affinity }: V1PodSpec): readonly V1NodeSelectorTerm[] {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required?.nodeSelectorTerms ?? [];
}

/** Terms are alternatives, so none may come; the conditions of one all hold, so more may. */
function narrowedTerms(
  terms: readonly V1NodeSelectorTerm[],
  old: readonly V1NodeSelectorTerm[],
): Errors {
  if (old.length === 0) return [];
  if (terms.length !== old.length) {
    const rule = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return [invalid(TERMS, terms, rule)];
  }
  return each(terms, TERMS, (term, path, index) => {
    const before = old[index] ?? {};
    const isKept = (["matchExpressions", "matchFields"] as const).every((list) => {
      const [now, then] = [term[list] ?? [], before[list] ?? []];
      return equalSemantic(now.slice(0, then.length), then);
    });
    return when(!isKept, invalid(path, term, ONLY_ADDITIONS));
  });
}

/** Selector and node affinity as they were: what may change of them is checked by itself. */
function withPlacementOf(old: V1PodSpec, spec: V1PodSpec): V1PodSpec {
  const affinity = withField(spec.affinity ?? {}, "nodeAffinity", old.affinity?.nodeAffinity);
  return { ...withField(spec, "nodeSelector", old.nodeSelector), affinity };
}
