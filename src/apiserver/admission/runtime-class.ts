import type { Pod } from "../../api/core/pod.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import { parseQuantity } from "../../api/machinery/quantity.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { V1PodSpec, V1Toleration } from "../../gen/types.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

type Amounts = Readonly<Record<string, string>>;

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/**
 * Gives a new Pod what its RuntimeClass says: the overhead, and where it can run.
 *
 * @spec k8s@1.36 plugin/pkg/admission/runtimeclass/admission.go
 */
export class RuntimeClassAdmission implements AdmissionPlugin {
  readonly name = "RuntimeClass";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "CREATE" && isAbout(call, "pods");
  }

  admit(call: AdmissionCall): Pod | undefined {
    const pod = call.object as Pod;
    const found = this.#classOf(call, pod);
    if (!found?.overhead && !found?.scheduling) return undefined;
    const { podFixed } = found.overhead ?? {};
    const { overhead } = pod.spec!;
    if (podFixed && hasAmounts(overhead) && !isSame(podFixed, overhead))
      throw refuse(call, MISMATCH);
    const spec = { ...pod.spec!, ...(podFixed && { overhead: podFixed }) };
    return { ...pod, spec: placed(call, spec, found) };
  }

  validate(call: AdmissionCall): void {
    const pod = call.object as Pod;
    const { overhead } = pod.spec ?? {};
    if (!hasAmounts(overhead)) return;
    const defined = this.#classOf(call, pod)?.overhead;
    if (!defined)
      throw refuse(
        call,
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
      );
    if (!isSame(defined.podFixed ?? {}, overhead)) throw refuse(call, MISMATCH);
  }

  #classOf(call: AdmissionCall, { spec }: Pod): RuntimeClass | undefined {
    const name = spec?.runtimeClassName;
    if (!name) return undefined;
    const found = this.#cache.get(RuntimeClass, { namespace: "", name });
    if (!found) throw refuse(call, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    return found;
  }
}

/** The Pod's own wishes and those of its class. */
function placed(call: AdmissionCall, spec: V1PodSpec, { scheduling }: RuntimeClass): V1PodSpec {
  if (!scheduling) return spec;
  const { nodeSelector = {}, tolerations = [] } = scheduling;
  const own = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector))
    if (Object.hasOwn(own, key) && own[key] !== value)
      throw refuse(
        call,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`,
      );
  const selector = { ...own, ...nodeSelector };
  const all = merged(spec.tolerations ?? [], tolerations);
  return {
    ...spec,
    ...(Object.keys(selector).length > 0 && { nodeSelector: selector }),
    ...(all.length > 0 && { tolerations: all }),
  };
}

/** Without those that others contain. @spec k8s@1.36 pkg/util/tolerations MergeTolerations */
function merged(...lists: readonly (readonly V1Toleration[])[]): readonly V1Toleration[] {
  const all = lists.flat();
  return all.filter(
    (one, index) =>
      !all.some(
        (other, at) =>
          at !== index && contains(other, one) && (at < index || !contains(one, other)),
      ),
  );
}

/** @spec k8s@1.36 pkg/util/tolerations isSuperset */
function contains(wide: V1Toleration, narrow: V1Toleration): boolean {
  if (equalSemantic(wide, narrow)) return true;
  if (wide.key && wide.key !== narrow.key) return false;
  if (!wide.key && wide.operator !== "Exists") return false;
  if (wide.effect && wide.effect !== narrow.effect) return false;
  const [most, asked] = [wide.tolerationSeconds, narrow.tolerationSeconds];
  if (wide.effect === "NoExecute" && most !== undefined && (asked === undefined || most < asked))
    return false;
  if (wide.operator === "Exists") return true;
  const isEqual = !narrow.operator || narrow.operator === "Equal";
  return isEqual && (wide.value ?? "") === (narrow.value ?? "");
}

function hasAmounts(amounts: Amounts | undefined): amounts is Amounts {
  return amounts !== undefined && Object.keys(amounts).length > 0;
}

/** However they are written: `1000m` is `1`. */
function isSame(a: Amounts, b: Amounts): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) && parseQuantity(a[key]!).nanos === parseQuantity(b[key]!).nanos,
    )
  );
}
