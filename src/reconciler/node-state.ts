import type { Node } from "../api/core/node.ts";

export type Taint = NonNullable<NonNullable<Node["spec"]>["taints"]>[number];
export type NodeConditions = NonNullable<NonNullable<Node["status"]>["conditions"]>;

/** The status of a node's Ready condition; one that was never posted is "Unknown". */
export function readinessOf(node: Node): string {
  return node.status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "Unknown";
}

/** Key and effect: what makes two taints the same. @spec k8s@1.36 core/v1 Taint.MatchTaint */
export function taintId({ key, effect }: Pick<Taint, "key" | "effect">): string {
  return `${key}:${effect}`;
}
