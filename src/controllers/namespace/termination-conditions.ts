import { formatTime, type Instant } from "../../base/clock.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Namespace } from "../../api/core/namespace.ts";
import { findCondition } from "../../api/machinery/conditions.ts";

type Conditions = NonNullable<NonNullable<Namespace["status"]>["conditions"]>;
type Text = readonly [reason: string, message: string];

/** What is left of one kind: how many, and the first of them, whose finalizers are counted. */
interface Remaining {
  readonly count: number;
  readonly first: readonly KubeObject[];
}

/** What each condition says while all is well, in upstream's order. @spec status_condition_utils.go okReasons, okMessages */
const WELL: Readonly<Record<string, Text>> = {
  NamespaceDeletionDiscoveryFailure: [
    "ResourcesDiscovered",
    "All resources successfully discovered",
  ],
  NamespaceDeletionGroupVersionParsingFailure: [
    "ParsedGroupVersions",
    "All legacy kube types successfully parsed",
  ],
  NamespaceDeletionContentFailure: [
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  NamespaceContentRemaining: ["ContentRemoved", "All content successfully removed"],
  NamespaceFinalizersRemaining: [
    "ContentHasNoFinalizers",
    "All content-preserving finalizers finished",
  ],
};

/**
 * The five conditions of a namespace that is being deleted.
 *
 * @param left what is still there, by kind. @param failures messages of deletes that failed.
 * @spec k8s@1.36 pkg/controller/namespace/deletion/status_condition_utils.go
 */
export function terminationConditions(
  old: Conditions | undefined,
  left: ReadonlyMap<Kind, Remaining>,
  failures: readonly string[],
  now: Instant,
): Conditions {
  const troubles: Readonly<Record<string, Text | undefined>> = {
    NamespaceDeletionContentFailure: contentFailure(failures),
    NamespaceContentRemaining: contentRemaining(left),
    NamespaceFinalizersRemaining: finalizersRemaining(left),
  };
  const foreign = (old ?? []).filter((condition) => !(condition.type in WELL));
  const own = Object.entries(WELL).map(([type, well]) => {
    const trouble = troubles[type];
    const [reason, message] = trouble ?? well;
    const status = trouble ? "True" : "False";
    const before = findCondition(old, type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    return { type, status, lastTransitionTime: since ?? formatTime(now), reason, message };
  });
  return [...foreign, ...own];
}

function contentFailure(failures: readonly string[]): Text | undefined {
  if (failures.length === 0) return undefined;
  const list = [...failures].sort().join(", ");
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${list}`;
  return ["ContentDeletionFailed", message];
}

function contentRemaining(left: ReadonlyMap<Kind, Remaining>): Text | undefined {
  const parts = [...left].map(
    ([kind, { count }]) => `${kind.plural}.${kind.group} has ${count} resource instances`,
  );
  if (parts.length === 0) return undefined;
  return ["SomeResourcesRemain", `Some resources are remaining: ${parts.sort().join(", ")}`];
}

function finalizersRemaining(left: ReadonlyMap<Kind, Remaining>): Text | undefined {
  const counts = new Map<string, number>();
  for (const { first } of left.values())
    for (const { metadata } of first)
      for (const finalizer of metadata?.finalizers ?? [])
        counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  if (counts.size === 0) return undefined;
  const parts = [...counts].map(([finalizer, n]) => `${finalizer} in ${n} resource instances`);
  const list = parts.sort().join(", ");
  return [
    "SomeFinalizersRemain",
    `Some content in the namespace has finalizers remaining: ${list}`,
  ];
}
