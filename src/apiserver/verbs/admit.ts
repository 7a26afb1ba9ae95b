import type { KubeObject } from "../../api/machinery/object.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { AlsoWritten } from "../registry/commit.ts";
import type { AdmissionCall } from "../request.ts";

/** Runs all plugins that change objects, each on the result of the one before, and defaults what they left out. */
export function admitObject(
  parts: ServerParts,
  call: ApiCall,
  operation: AdmissionCall["operation"],
  object: KubeObject,
  old: KubeObject | undefined,
): KubeObject {
  const admission: { object?: KubeObject } & AdmissionCall = call.admission(operation, object, old);
  for (const plugin of parts.admission) {
    if (!plugin.admit || !plugin.handles(admission)) continue;
    const changed = plugin.admit(admission);
    if (changed) admission.object = changed;
  }
  const admitted = admission.object!;
  return admitted === object ? object : call.resource.strategy.withDefaults(admitted);
}

/** Lets plugins wait for what they will look for; `undefined`: none needs to. */
export function prepareAdmission(
  parts: ServerParts,
  call: ApiCall,
  object: KubeObject,
): Promise<unknown> | undefined {
  let waits: Promise<void>[] | undefined;
  const admission = call.admission("CREATE", object, undefined);
  for (const plugin of parts.admission) {
    if (!plugin.prepare) continue;
    const wait = plugin.handles(admission) ? plugin.prepare(admission) : undefined;
    if (wait) (waits ??= []).push(wait);
  }
  return waits && Promise.all(waits);
}

/** Runs all plugins that only judge. @throws {StatusError} the first refusal. */
export function validateAdmission(
  parts: ServerParts,
  call: ApiCall,
  operation: AdmissionCall["operation"],
  object: KubeObject | undefined,
  old: KubeObject | undefined,
): void {
  const admission = call.admission(operation, object, old);
  for (const plugin of parts.admission)
    if (plugin.validate && plugin.handles(admission)) plugin.validate(admission);
}

/** The last judge, as upstream's plugin ResourceQuota is. @returns what must be written with the object. @throws {StatusError} too much. */
export function chargeQuotas(
  parts: ServerParts,
  call: ApiCall,
  operation: "CREATE" | "UPDATE",
  object: KubeObject,
  old: KubeObject | undefined,
): readonly AlsoWritten[] {
  if (!parts.quotas.concerns(call, operation)) return [];
  const admission = call.admission(operation, object, old);
  return parts.quotas.charge(admission, object, old, parts.clock.now());
}
