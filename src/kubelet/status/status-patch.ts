import type { V1PodCondition, V1PodStatus } from "../../gen/types.ts";
import { isEqual } from "./is-equal.ts";

/** Lists that the server would merge by address: what is not said to be replaced stays. */
const ADDRESSES = ["podIPs", "hostIPs"] as const;

/**
 * The strategic merge patch from one status of a Pod to another: only what differs, so that conditions of others stay.
 *
 * Conditions are merged by their type, field by field: what one has no longer is `null`.
 * @spec k8s@1.36 apimachinery strategicpatch; core/v1 PodStatus patch strategies
 */
export function statusPatch(from: V1PodStatus, to: V1PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const [old, next] = [from as Record<string, unknown>, to as Record<string, unknown>];
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)]))
    if (!isEqual(old[key], next[key])) patch[key] = next[key] ?? null;
  for (const key of ADDRESSES)
    if (patch[key] && from[key]) patch[key] = [{ $patch: "replace" }, ...(to[key] ?? [])];
  if (patch["conditions"])
    patch["conditions"] = (to.conditions ?? []).map((condition) =>
      withRemovals(
        from.conditions?.find(({ type }) => type === condition.type),
        condition,
      ),
    );
  return patch;
}

function withRemovals(old: V1PodCondition | undefined, next: V1PodCondition): object {
  const gone = Object.keys(old ?? {}).filter((field) => !Object.hasOwn(next, field));
  if (gone.length === 0) return next;
  return Object.assign(Object.fromEntries(gone.map((field) => [field, null])), next);
}
