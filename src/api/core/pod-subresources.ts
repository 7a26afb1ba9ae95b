import { firstBy } from "../../base/first-by.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { errorsOfEach, forbidden, invalid } from "../machinery/field-error.ts";
import { when, type Errors } from "../strategy/checks.ts";
import { withField, withGeneration } from "../strategy/strategy.ts";
import { describeDifference } from "./pod-difference.ts";
import { qosClassOf } from "./pod-qos.ts";
import { validatePod } from "./pod-validation.ts";

const NO_SPEC: V1PodSpec = { containers: [] };

/** Resources that can change while a container runs. */
const RESIZABLE = new Set(["cpu", "memory"]);

/**
 * Rules of `pods/ephemeralcontainers`: containers for debugging may come, and nothing else.
 *
 * @spec k8s@1.36 pkg/registry/core/pod podEphemeralContainersStrategy
 */
export const ephemeralContainerRules = {
  prepareForUpdate: (pod: V1Pod, old: V1Pod): V1Pod =>
    replaced(old, { ...(old.spec ?? NO_SPEC), ...pick(pod.spec, "ephemeralContainers") }),
  validateUpdate: (pod: V1Pod, old: V1Pod): Errors => [
    ...validatePod(pod),
    ...keptContainers(pod, old),
  ],
};

function pick<K extends keyof V1PodSpec>(
  spec: V1PodSpec | undefined,
  field: K,
): Pick<V1PodSpec, K> {
  return { [field]: spec?.[field] ?? [] } as unknown as Pick<V1PodSpec, K>;
}

function keptContainers(pod: V1Pod, old: V1Pod): Errors {
  const field = "spec.ephemeralContainers";
  const after = firstBy(pod.spec?.ephemeralContainers, ({ name }) => name);
  return errorsOfEach(old.spec?.ephemeralContainers ?? [], (before) => {
    const what = `existing ephemeral containers ${JSON.stringify(before.name)} may not be`;
    const same = after.get(before.name);
    if (same === undefined) return [forbidden(field, `${what} removed\n`)];
    if (equalSemantic(same, before)) return [];
    const difference = describeDifference(before, same, field).join("\n");
    return [forbidden(field, `${what} changed\n${difference}`)];
  });
}

/**
 * Rules of `pods/resize`: requests and limits of cpu and memory may change, within the pod's class of service.
 *
 * @spec k8s@1.36 pkg/registry/core/pod podResizeStrategy; pkg/apis/core/validation ValidatePodResize
 */
export const resizeRules = {
  prepareForUpdate: (pod: V1Pod, old: V1Pod): V1Pod => {
    const spec = old.spec ?? NO_SPEC;
    return replaced(old, {
      ...spec,
      containers: resized(spec.containers, pod.spec?.containers),
      ...(spec.initContainers && {
        initContainers: resized(spec.initContainers, pod.spec?.initContainers),
      }),
    });
  },
  validateUpdate: (pod: V1Pod, old: V1Pod): Errors => {
    const fixed = whyFixed(old);
    if (fixed !== undefined) return [forbidden("", fixed)];
    const [before, after] = [qosClassOf(old.spec ?? NO_SPEC), qosClassOf(pod.spec ?? NO_SPEC)];
    const rule = "Pod QOS Class may not change as a result of resizing";
    return [
      ...validatePod(pod),
      ...when(before !== after, invalid("spec", after, rule)),
      ...when(!canResize(old), forbidden("spec", "Pod running on node without support for resize")),
      ...removals(pod, old),
      ...when(
        !equalSemantic(fixedResources(pod), fixedResources(old)),
        forbidden("spec", "only cpu and memory resources are mutable"),
      ),
    ];
  },
};

function whyFixed({ metadata, spec }: V1Pod): string | undefined {
  if (metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined)
    return "static pods cannot be resized";
  return spec?.os?.name === "windows" ? "windows pods cannot be resized" : undefined;
}

/** A kubelet that can resize says what a running container has. @spec isPodResizeRequestSupported */
function canResize({ status }: V1Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running);
  return !running || running.resources !== undefined;
}

/** @spec validateContainerResize */
function removals(pod: V1Pod, old: V1Pod): Errors {
  const lists = ["containers", "initContainers"] as const;
  return lists.flatMap((list) =>
    (old.spec?.[list] ?? []).flatMap((container, index) => {
      const before = container.resources ?? {};
      const after = pod.spec?.[list]?.[index]?.resources ?? {};
      return (["requests", "limits"] as const).flatMap((amounts) =>
        when(
          Object.keys(before[amounts] ?? {}).some((name) => after[amounts]?.[name] === undefined),
          forbidden(
            `spec.${list}[${index}].resources.${amounts}`,
            `resource ${amounts} cannot be removed`,
          ),
        ),
      );
    }),
  );
}

function resized(
  containers: readonly V1Container[],
  wanted: readonly V1Container[] = [],
): readonly V1Container[] {
  const changes = firstBy(wanted, ({ name }) => name);
  return containers.map((container) => {
    const change = changes.get(container.name);
    return change === undefined
      ? container
      : withField(
          withField(container, "resources", change.resources),
          "resizePolicy",
          change.resizePolicy,
        );
  });
}

/** All amounts that a resize must leave alone, in order: those of init containers that end are all of them. */
function fixedResources({ spec }: V1Pod): unknown[] {
  const fixed = (list: Readonly<Record<string, string>> = {}): unknown =>
    Object.fromEntries(Object.entries(list).filter(([name]) => !RESIZABLE.has(name)));
  const part = ({ resources }: V1Container): unknown => [
    fixed(resources?.limits),
    fixed(resources?.requests),
    resources?.claims,
  ];
  const init = (spec?.initContainers ?? []).map((container) =>
    container.restartPolicy === "Always" ? part(container) : container.resources,
  );
  return [...(spec?.containers ?? []).map(part), ...init];
}

/** The stored pod with another spec, and the generation that this makes. */
function replaced(old: V1Pod, spec: V1PodSpec): V1Pod {
  const generation = old.metadata?.generation ?? 0;
  const isSame = equalSemantic(spec, old.spec);
  return withGeneration({ ...old, spec }, isSame ? generation : generation + 1);
}
