import type { KubeObject } from "./object.ts";

/**
 * Identifies one served kind, and carries its TypeScript type.
 *
 * Written once per kind, beside its type, so that `Pod` is both: `cache.get(Pod, key)` returns a `Pod`.
 */
export interface Kind<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  /** `Pod` */
  readonly kind: string;
  /** `pods`: the path segment and the RBAC resource. */
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Never set: makes `Kind<Pod>` and `Kind<Node>` different types. */
  readonly of?: T;
}

/** `v1` or `apps/v1`. */
export function apiVersionOf(kind: Pick<Kind, "group" | "version">): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** `pods` or `deployments.apps`: how messages name a resource. @spec apimachinery runtime/schema GroupResource.String */
export function resourceNameOf(kind: Pick<Kind, "group" | "plural">): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}
