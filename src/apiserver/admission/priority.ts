import type { Pod } from "../../api/core/pod.ts";
import { SPECS_MAX } from "../../api/core/pod-specs.ts";
import { isSmall } from "../../base/is-small.ts";
import { Recent } from "../../base/recent.ts";
import type { Cache, CacheReader } from "../../client/cache.ts";
import type { V1PodSpec, V1PriorityClass } from "../../gen/types.ts";
import { cached } from "../authn/cached-kinds.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

/** Above every class that users may make (2 × 10⁹). @spec k8s@1.36 pkg/apis/scheduling SystemCriticalPriority */
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

const PREEMPT = "PreemptLowerPriority";

interface Resolved {
  readonly className: string;
  readonly priority: number;
  readonly preemptionPolicy: string;
}

/**
 * Turns a Pod's priority class into its number, and keeps the number on updates.
 *
 * @spec k8s@1.36 plugin/pkg/admission/priority/admission.go
 */
export class Priority implements AdmissionPlugin {
  readonly name = "Priority";
  readonly #cache: CacheReader;
  /** What came of the specs seen last; true until a class changes. */
  readonly #ranked = new Recent<V1PodSpec, V1PodSpec>(SPECS_MAX);

  constructor(cache: CacheReader & Pick<Cache, "onChange">) {
    this.#cache = cache;
    cache.onChange(cached.priorityClass, () => this.#ranked.clear());
  }

  handles(call: AdmissionCall): boolean {
    const isWrite = call.operation === "CREATE" || call.operation === "UPDATE";
    return isWrite && (isAbout(call, "pods") || isClass(call));
  }

  admit(call: AdmissionCall): Pod | undefined {
    if (isClass(call)) return undefined;
    const pod = call.object as Pod;
    if (call.operation === "UPDATE") return keepPriority(pod, call.old as Pod);
    let spec = this.#ranked.get(pod.spec!);
    if (!spec) {
      spec = this.#withPriority(call, pod.spec!);
      if (isSmall(pod.spec)) this.#ranked.set(pod.spec!, spec);
    }
    return { ...pod, spec };
  }

  #withPriority(call: AdmissionCall, spec: V1PodSpec): V1PodSpec {
    const { className, priority, preemptionPolicy } = this.#resolve(call, spec.priorityClassName);
    if (spec.priority !== undefined && spec.priority !== priority)
      throw refuse(
        call,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
          `priority admission controller computed ${priority} from the given PriorityClass name`,
      );
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
      throw refuse(
        call,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ` +
          `priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      );
    const named = className ? { priorityClassName: className } : {};
    return { ...spec, ...named, priority, preemptionPolicy };
  }

  validate(call: AdmissionCall): void {
    const asked = call.object as V1PriorityClass;
    if (!isClass(call) || !asked.globalDefault) return;
    const current = this.#defaultClass()?.metadata?.name;
    if (current !== undefined && (call.operation === "CREATE" || current !== asked.metadata?.name))
      throw refuse(
        call,
        `PriorityClass ${current} is already marked as default. Only one default can exist`,
      );
  }

  #resolve(call: AdmissionCall, name: string | undefined): Resolved {
    if (!name) {
      const found = this.#defaultClass();
      return found ? resolved(found) : { className: "", priority: 0, preemptionPolicy: PREEMPT };
    }
    const found = this.#cache.get(cached.priorityClass, { namespace: "", name });
    if (found) return resolved(found);
    const priority = Object.hasOwn(SYSTEM_CLASSES, name) ? SYSTEM_CLASSES[name] : undefined;
    if (priority === undefined) throw refuse(call, `no PriorityClass with name ${name} was found`);
    return { className: name, priority, preemptionPolicy: PREEMPT };
  }

  /** Should two have slipped in at once: the lower one. */
  #defaultClass(): V1PriorityClass | undefined {
    return this.#cache
      .list(cached.priorityClass, { where: (one) => one.globalDefault === true })
      .reduce<V1PriorityClass | undefined>(
        (lowest, one) => (lowest && (lowest.value ?? 0) <= (one.value ?? 0) ? lowest : one),
        undefined,
      );
  }
}

function isClass(call: AdmissionCall): boolean {
  return isAbout(call, "priorityclasses", "", "scheduling.k8s.io");
}

function resolved({ metadata, value, preemptionPolicy }: V1PriorityClass): Resolved {
  return {
    className: metadata?.name ?? "",
    priority: value ?? 0,
    preemptionPolicy: preemptionPolicy ?? PREEMPT,
  };
}

/** Clients of old versions leave out what they do not know. */
function keepPriority(pod: Pod, old: Pod): Pod | undefined {
  const { priority, preemptionPolicy } = old.spec ?? {};
  const kept = {
    ...(pod.spec?.priority === undefined && priority !== undefined ? { priority } : {}),
    ...(pod.spec?.preemptionPolicy === undefined && preemptionPolicy ? { preemptionPolicy } : {}),
  };
  return Object.keys(kept).length > 0 ? { ...pod, spec: { ...pod.spec!, ...kept } } : undefined;
}
