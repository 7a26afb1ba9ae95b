import { ControllerRevision } from "../api/apps/controller-revision.ts";
import { equalStored } from "../api/machinery/equality.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../api/machinery/object.ts";
import type { CacheReader } from "../client/cache.ts";
import type { PlannedWrite } from "./controller.ts";
import {
  claim,
  claimable,
  controllerOf,
  controllerReference,
  type LabelMatch,
} from "./ownership.ts";
import type { PodTemplate } from "./pod-from-template.ts";
import { templateHash } from "./template-hash.ts";

/** A workload that keeps the history of its template in ControllerRevisions. */
export interface TemplateOwner extends KubeObject {
  readonly spec?: { readonly template?: PodTemplate; readonly revisionHistoryLimit?: number };
  readonly status?: { readonly collisionCount?: number };
}

/** In what the kinds of owners differ. */
export interface HistoryFamily<T extends TemplateOwner> {
  readonly kind: Kind<T>;
  matches(owner: T): LabelMatch;
  /** The label of a revision that holds its hash. */
  readonly hashLabel: string;
}

/** What the caches hold of one owner's history. */
export interface SeenRevisions {
  /** Controlled by the owner, or by nobody. */
  readonly revisions: readonly ControllerRevision[];
  /** Has the name that a revision of the present template gets. */
  readonly nameHolder: ControllerRevision | undefined;
}

/** The history that a step starts from. */
export interface History {
  /** Oldest first; the present one's number may yet have to be written. */
  readonly revisions: readonly ControllerRevision[];
  /** That of the present template; `undefined`: its name belongs to another revision. */
  readonly update: ControllerRevision | undefined;
  /** Others of the present template, which `update` stands for: they were adopted. */
  readonly twins: readonly ControllerRevision[];
  /** Adoption, and what makes `update` the newest. */
  readonly writes: readonly PlannedWrite[];
}

/** The longest prefix of a revision's name. @spec k8s@1.36 pkg/controller/history ControllerRevisionName */
const NAME_PREFIX_MAX = 223;

/** The hash of the present template and of the collisions so far. */
export function ownerHash(owner: TemplateOwner): string {
  return templateHash(owner.spec?.template ?? {}, owner.status?.collisionCount || undefined);
}

function revisionName(owner: TemplateOwner): string {
  return `${(owner.metadata?.name ?? "").slice(0, NAME_PREFIX_MAX)}-${ownerHash(owner)}`;
}

/** Reads the caches; no await. */
export function observeRevisions(
  cache: CacheReader,
  key: ObjectKey,
  owner: TemplateOwner,
): SeenRevisions {
  const { namespace } = key;
  const controllerUid = owner.metadata?.uid ?? "-";
  const revisions = claimable(cache, ControllerRevision, namespace, controllerUid);
  const nameHolder = cache.get(ControllerRevision, { namespace, name: revisionName(owner) });
  return { revisions, nameHolder };
}

/**
 * The history with the revision of the present template as its newest.
 *
 * 1. The newest already is: nothing to do. 2. An older one is: it gets the next number, which is how a rollback shows.
 * 3. None is: one is made, unless another one has its name; then the owner's `collisionCount` must go up.
 * @spec k8s@1.36 pkg/controller/statefulset getStatefulSetRevisions; pkg/controller/daemon constructHistory
 */
export function planHistory<T extends TemplateOwner>(
  family: HistoryFamily<T>,
  owner: T,
  { revisions, nameHolder }: SeenRevisions,
): History {
  const claimer = { kind: family.kind, object: owner, matches: family.matches(owner) };
  // A revision whose labels no longer match is still the owner's: upstream looks at the reference alone.
  const orphans = revisions.filter((revision) => !controllerOf(revision));
  const { owned: adopted, writes } = claim(ControllerRevision, claimer, orphans);
  const own = revisions.filter((revision) => controllerOf(revision));
  const sorted = [...own, ...adopted].sort(byAge);
  const fresh = newRevision(family, owner, nextNumber(sorted));
  const wanted = owner.spec?.template ?? {};
  const same = sorted.filter((revision) => equalStored(templateOf(revision), wanted));
  const equal = same.at(-1);
  const twins = same.slice(0, -1);
  if (equal === undefined) {
    if (nameHolder) return { revisions: sorted, update: undefined, twins, writes };
    const create = { verb: "create", kind: ControllerRevision, object: fresh } as const;
    return { revisions: [...sorted, fresh], update: fresh, twins, writes: [...writes, create] };
  }
  if (equal === sorted.at(-1)) return { revisions: sorted, update: equal, twins, writes };
  const update = { ...equal, revision: fresh.revision };
  const others = sorted.filter((revision) => revision !== equal);
  const renumber = {
    verb: "patch",
    kind: ControllerRevision,
    key: keyOf(equal),
    ifUid: equal.metadata?.uid ?? "",
    patch: { revision: fresh.revision },
  } as const;
  return { revisions: [...others, update], update, twins, writes: [...writes, renumber] };
}

/** By number, then by age, then by name. @spec history.SortControllerRevisions */
function byAge(a: ControllerRevision, b: ControllerRevision): number {
  const made = ({ metadata }: ControllerRevision): string => metadata?.creationTimestamp ?? "";
  return (
    (a.revision ?? 0) - (b.revision ?? 0) ||
    compareText(made(a), made(b)) ||
    compareText(a.metadata?.name ?? "", b.metadata?.name ?? "")
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function nextNumber(sorted: readonly ControllerRevision[]): number {
  return (sorted.at(-1)?.revision ?? 0) + 1;
}

/** Its data is a strategic merge patch that puts the template back: what `kubectl rollout undo` sends. */
function newRevision<T extends TemplateOwner>(
  { kind, hashLabel }: HistoryFamily<T>,
  owner: T,
  revision: number,
): ControllerRevision {
  const { namespace = "", annotations } = owner.metadata ?? {};
  const template = owner.spec?.template ?? {};
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: revisionName(owner),
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: ownerHash(owner) },
      ...(annotations && { annotations }),
      ownerReferences: [controllerReference(kind, owner)],
    },
    data: patchBack(template),
    revision,
  };
}

/**
 * The strategic merge patch that puts a template back, in the bytes that `kubectl rollout undo` compares.
 *
 * kubectl up to 1.33 skips a rollback when the revision's bytes are those of its own encoding of the present template:
 * keys in order, and the void time of creation that Go wrote into all metadata. Later ones compare meanings.
 * @spec k8s@1.33 pkg/controller/{daemon,statefulset} getPatch; kubectl polymorphichelpers statefulsetMatch
 */
function patchBack(template: PodTemplate): object {
  const metadata = { ...template.metadata, creationTimestamp: null };
  return sortedKeys({ spec: { template: { ...template, metadata, $patch: "replace" } } }) as object;
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sortedKeys(item)]),
  );
}

/** The template that a revision keeps, without what {@link patchBack} adds to it. */
export function templateOf(revision: ControllerRevision): PodTemplate {
  type Kept = PodTemplate & { readonly $patch?: string };
  const data = revision.data as { readonly spec?: { readonly template?: Kept } } | undefined;
  const { $patch: _, metadata, ...rest } = data?.spec?.template ?? {};
  const { creationTimestamp: __, ...kept } = metadata ?? {};
  return { ...rest, metadata: kept };
}

/**
 * Deletes of the oldest revisions that nothing needs any more. A negative limit keeps all.
 *
 * @param live names of revisions that stay.
 * @param counted how many stand against the limit; default: those that are not live.
 * @spec k8s@1.36 pkg/controller/statefulset truncateHistory; pkg/controller/daemon cleanupHistory
 */
export function forgetRevisions(
  owner: TemplateOwner,
  revisions: readonly ControllerRevision[],
  live: ReadonlySet<string>,
  counted?: number,
): PlannedWrite[] {
  const limit = owner.spec?.revisionHistoryLimit ?? 0;
  const idle = revisions.filter(({ metadata }) => !live.has(metadata?.name ?? ""));
  const surplus = (counted ?? idle.length) - limit;
  if (limit < 0 || surplus <= 0) return [];
  return idle.slice(0, surplus).map(forgetRevision);
}

/** Deletes one. */
export function forgetRevision(revision: ControllerRevision): PlannedWrite {
  const ifUid = revision.metadata?.uid ?? "";
  return { verb: "delete", kind: ControllerRevision, key: keyOf(revision), ifUid };
}
