import type { Kind } from "../../../api/machinery/kind.ts";
import { keyOf, type KubeObject, type ObjectMeta } from "../../../api/machinery/object.ts";
import type { CacheReader } from "../../../client/cache.ts";
import type {
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1Role,
  V1RoleBinding,
} from "../../../gen/types.ts";
import { cached } from "../../authn/cached-kinds.ts";
import { missingRules } from "../rule-coverage.ts";
import { clusterRoleBindings, roleBindings, roles } from "./bindings.ts";
import { clusterRoles } from "./cluster-roles.ts";
import { controllerRoles } from "./controller-roles.ts";
import { userRoles } from "./user-roles.ts";

const AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";
const DEFAULT_LABELS = { "kubernetes.io/bootstrapping": "rbac-defaults" };

/** One write that brings the store nearer to the default policy. `recreate`: a binding's role cannot be changed in place. */
export interface PolicyWrite {
  readonly verb: "create" | "update" | "recreate";
  readonly kind: Kind;
  readonly object: KubeObject;
}

/**
 * What to write at start so that all default roles and bindings are there, and grant at least what they should.
 *
 * What is there beyond that stays; objects annotated `autoupdate: "false"` are left alone.
 * @spec k8s@1.36 component-helpers auth/rbac/reconciliation
 */
export function reconcilePolicy(cache: CacheReader): readonly PolicyWrite[] {
  return [
    ...[...clusterRoles, ...userRoles, ...controllerRoles].flatMap((role) =>
      reconcile(cache, cached.clusterRole, role, mergeRole),
    ),
    ...clusterRoleBindings.flatMap((binding) =>
      reconcile(cache, cached.clusterRoleBinding, binding, mergeBinding),
    ),
    ...roles.flatMap((role) => reconcile(cache, cached.role, role, mergeRole)),
    ...roleBindings.flatMap((binding) =>
      reconcile(cache, cached.roleBinding, binding, mergeBinding),
    ),
  ];
}

/** Merges what is missing of `wanted` into `found`; gives `found` itself when nothing is. */
type Merge<T> = (found: T, wanted: T) => T;

function reconcile<T extends KubeObject & { readonly roleRef?: unknown }>(
  cache: CacheReader,
  kind: Kind<T>,
  bare: T,
  merge: Merge<T>,
): readonly PolicyWrite[] {
  const wanted = { ...bare, metadata: withDefaultMetadata(bare.metadata) };
  const found = cache.get(kind, keyOf(bare));
  if (!found) return [{ verb: "create", kind, object: wanted }];
  if (found.metadata?.annotations?.[AUTOUPDATE] === "false") return [];
  if (JSON.stringify(found.roleRef) !== JSON.stringify(wanted.roleRef))
    return [{ verb: "recreate", kind, object: wanted }];
  const merged = merge(found, wanted);
  const metadata = mergeMetadata(found.metadata, wanted.metadata);
  if (merged === found && metadata === found.metadata) return [];
  return [{ verb: "update", kind, object: { ...merged, metadata } as T }];
}

function mergeRole<T extends V1Role | V1ClusterRole>(found: T, wanted: T): T {
  // The rules of a sum are its parts': the aggregation controller keeps them.
  if ("aggregationRule" in found && found.aggregationRule) return found;
  // The common case at start, and a hundred times cheaper than the comparison that follows.
  if (JSON.stringify(found.rules) === JSON.stringify(wanted.rules)) return found;
  const missing = missingRules(found.rules ?? [], wanted.rules ?? []);
  if (missing.length === 0) return found;
  return { ...found, rules: [...(found.rules ?? []), ...missing] };
}

function mergeBinding<T extends V1ClusterRoleBinding | V1RoleBinding>(found: T, wanted: T): T {
  const held = new Set((found.subjects ?? []).map(subjectText));
  const missing = (wanted.subjects ?? []).filter((subject) => !held.has(subjectText(subject)));
  if (missing.length === 0) return found;
  return { ...found, subjects: [...(found.subjects ?? []), ...missing] };
}

function subjectText(subject: NonNullable<V1RoleBinding["subjects"]>[number]): string {
  return `${subject.kind} ${subject.namespace ?? ""}/${subject.name}`;
}

function withDefaultMetadata(metadata: ObjectMeta | undefined): ObjectMeta {
  return {
    ...metadata,
    labels: { ...metadata?.labels, ...DEFAULT_LABELS },
    annotations: { [AUTOUPDATE]: "true", ...metadata?.annotations },
  };
}

/** Adds missing labels and annotations; values that are there win. */
function mergeMetadata(found: ObjectMeta | undefined, wanted: ObjectMeta): ObjectMeta | undefined {
  const lacks = (
    have: Readonly<Record<string, string>> | undefined,
    want: Readonly<Record<string, string>> | undefined,
  ): boolean => Object.keys(want ?? {}).some((key) => have?.[key] === undefined);
  if (!lacks(found?.labels, wanted.labels) && !lacks(found?.annotations, wanted.annotations))
    return found;
  return {
    ...found,
    labels: { ...wanted.labels, ...found?.labels },
    annotations: { ...wanted.annotations, ...found?.annotations },
  };
}
