import type { V1PodCondition, V1PodStatus } from "../../gen/types.ts";
import { isKubeletCondition } from "./conditions.ts";
import { equalJson } from "../../api/machinery/equality.ts";

/** Lists that the server would merge by address: what is not said to be replaced stays. */
const ADDRESSES = ["podIPs", "hostIPs"] as const;

/**
 * The strategic merge patch from one status of a Pod to another: only what differs, so that conditions of others stay as
 * they are now, whatever they were when this status was made.
 *
 * Conditions are merged by their type, field by field: what one has no longer is `null`.
 * @spec k8s@1.36 apimachinery strategicpatch; core/v1 PodStatus patch strategies
 */
export function statusPatch(from: V1PodStatus, to: V1PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const [old, next] = [from as Record<string, unknown>, to as Record<string, unknown>];
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)]))
    if (key !== "conditions" && !equalJson(old[key], next[key])) patch[key] = next[key] ?? null;
  for (const key of ADDRESSES)
    if (patch[key] && from[key]) patch[key] = [{ $patch: "replace" }, ...(to[key] ?? [])];
  return { ...patch, ...conditionsPatch(from.conditions ?? [], to.conditions ?? []) };
}

function conditionsPatch(
  from: readonly V1PodCondition[],
  to: readonly V1PodCondition[],
): Record<string, unknown> {
  if (equalJson(from, to)) return {};
  const named = (list: readonly V1PodCondition[], type: string): V1PodCondition | undefined =>
    list.find((condition) => condition.type === type);
  const changed = to.filter((condition) => !equalJson(condition, named(from, condition.type)));
  const gone = from.filter(({ type }) => isKubeletCondition(type) && !named(to, type));
  return {
    "$setElementOrder/conditions": to.map(({ type }) => ({ type })),
    conditions: [
      ...gone.map(({ type }) => ({ $patch: "delete", type })),
      ...changed.map((condition) => withRemovals(named(from, condition.type), condition)),
    ],
  };
}

function withRemovals(old: V1PodCondition | undefined, next: V1PodCondition): object {
  const gone = Object.keys(old ?? {}).filter((field) => !Object.hasOwn(next, field));
  if (gone.length === 0) return next;
  return Object.assign(Object.fromEntries(gone.map((field) => [field, null])), next);
}
