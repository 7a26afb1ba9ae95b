import type { Pod } from "../../api/core/pod.ts";
import { SPECS_MAX } from "../../api/core/pod-specs.ts";
import { isSmall } from "../../base/is-small.ts";
import { Recent } from "../../base/recent.ts";
import type { Cache, CacheReader } from "../../client/cache.ts";
import {
  PREEMPTS,
  PriorityClass,
  systemPriorityClasses,
} from "../../api/scheduling/priority-class.ts";
import type { V1PodSpec } from "../../gen/types.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

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
    cache.onChange(PriorityClass, () => this.#ranked.clear());
  }

  handles(call: AdmissionCall): boolean {
    if (call.operation === "DELETE") return isClass(call);
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
    if (!isClass(call)) return;
    if (call.operation === "DELETE") return checkDeletion(call);
    const asked = call.object as PriorityClass;
    if (!asked.globalDefault) return;
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
      return found ? resolved(found) : { className: "", priority: 0, preemptionPolicy: PREEMPTS };
    }
    const found = this.#cache.get(PriorityClass, { namespace: "", name });
    // The system's own are there before they are stored.
    const known = found ?? systemPriorityClasses.find(({ metadata }) => metadata?.name === name);
    if (!known) throw refuse(call, `no PriorityClass with name ${name} was found`);
    return resolved(known);
  }

  /** Should two have slipped in at once: the lower one. */
  #defaultClass(): PriorityClass | undefined {
    return this.#cache
      .list(PriorityClass, { where: (one) => one.globalDefault === true })
      .reduce<PriorityClass | undefined>(
        (lowest, one) => (lowest && (lowest.value ?? 0) <= (one.value ?? 0) ? lowest : one),
        undefined,
      );
  }
}

function isClass(call: AdmissionCall): boolean {
  return isAbout(call, "priorityclasses", "", "scheduling.k8s.io");
}

/** @spec k8s@1.36 pkg/registry/scheduling/priorityclass/storage Delete */
function checkDeletion(call: AdmissionCall): void {
  const name = call.old?.metadata?.name;
  if (systemPriorityClasses.some(({ metadata }) => metadata?.name === name))
    throw refuse(call, "this is a system priority class and cannot be deleted");
}

function resolved({ metadata, value, preemptionPolicy }: PriorityClass): Resolved {
  return {
    className: metadata?.name ?? "",
    priority: value ?? 0,
    preemptionPolicy: preemptionPolicy ?? PREEMPTS,
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
