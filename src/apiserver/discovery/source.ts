import type { Resource, Verb } from "../../api/machinery/resource.ts";

/** What discovery and OpenAPI are made from. */
export interface ServedApi {
  readonly resources: readonly Resource[];
  /** Those that no `Resource` declares: `pods/log`, `serviceaccounts/token`, `pods/eviction` … */
  readonly subresources: readonly ExtraSubresource[];
}

/** A subresource that the API server implements itself, or a resource without storage (`bindings`, reviews). */
export interface ExtraSubresource {
  readonly group: string;
  readonly version: string;
  /** The parent's plural. */
  readonly plural: string;
  /** `log`; "" for a resource of its own that is only ever posted (`tokenreviews`). */
  readonly name: string;
  /** Needed when `name` is "". */
  readonly singular?: string;
  readonly isNamespaced: boolean;
  /** The kind of what is sent or answered. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly Verb[];
}

/** One resource of one group and version with all its subresources. */
export interface Entry {
  readonly plural: string;
  readonly singular: string;
  readonly isNamespaced: boolean;
  readonly kind: EntryKind;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly isStored: boolean;
  readonly subresources: readonly EntrySubresource[];
}

export interface EntryKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface EntrySubresource {
  readonly name: string;
  readonly kind: EntryKind;
  readonly verbs: readonly string[];
}

const ALL_VERBS: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];
const PART_VERBS = ["get", "patch", "update"] as const;
const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };

/** The resources of one group and version, sorted by name. */
export function entriesOf(api: ServedApi, group: string, version: string): readonly Entry[] {
  const isHere = (at: { group: string; version: string }): boolean =>
    at.group === group && at.version === version;
  const extras = api.subresources.filter(isHere);
  const stored = api.resources
    .filter((resource) => isHere(resource.kind))
    .map((resource) => storedEntry(resource, extras));
  const known = new Set(stored.map((entry) => entry.plural));
  const virtual = extras
    .filter((extra) => extra.name === "" && !known.has(extra.plural))
    .map((extra) => virtualEntry(extra));
  return [...stored, ...virtual].sort((a, b) => compare(a.plural, b.plural));
}

function storedEntry(resource: Resource, extras: readonly ExtraSubresource[]): Entry {
  const { kind, subresources } = resource;
  const own: EntrySubresource[] = [];
  if (subresources?.status) own.push({ name: "status", kind: bare(kind), verbs: PART_VERBS });
  if (subresources?.scale) own.push({ name: "scale", kind: SCALE, verbs: PART_VERBS });
  const extra = extras
    .filter(({ plural, name }) => plural === kind.plural && name !== "")
    .map(({ name, kind, verbs }) => ({ name, kind, verbs: [...verbs].sort() }));
  return {
    plural: kind.plural,
    singular: resource.singular,
    isNamespaced: kind.isNamespaced,
    kind: bare(kind),
    verbs: resource.verbs?.length ? [...resource.verbs].sort() : ALL_VERBS,
    ...(resource.shortNames?.length && { shortNames: resource.shortNames }),
    ...(resource.categories?.length && { categories: resource.categories }),
    isStored: true,
    subresources: [...own, ...extra].sort((a, b) => compare(a.name, b.name)),
  };
}

function virtualEntry(extra: ExtraSubresource): Entry {
  return {
    plural: extra.plural,
    singular: extra.singular ?? extra.kind.kind.toLowerCase(),
    isNamespaced: extra.isNamespaced,
    kind: extra.kind,
    verbs: [...extra.verbs].sort(),
    isStored: false,
    subresources: [],
  };
}

const bare = ({ group, version, kind }: EntryKind): EntryKind => ({ group, version, kind });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Groups in upstream's order of priority; others follow by name. @spec k8s@1.36 controlplane apiserver priorities */
const GROUP_ORDER = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "resource.k8s.io",
  "storagemigration.k8s.io",
  "compose.docker.com",
  // Behind all that serve the same kinds, so that clients who name none of them get the present one.
  "extensions",
];

/** A served group with its versions, the preferred one first. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly string[];
}

/** All groups, the core group ("") included, in order of priority. */
export function groupsOf(api: ServedApi): readonly ServedGroup[] {
  const versions = new Map<string, Set<string>>();
  const kinds = [...api.resources.map((resource) => resource.kind), ...api.subresources];
  for (const { group, version } of kinds)
    versions.set(group, (versions.get(group) ?? new Set()).add(version));
  const place = (name: string): number => {
    const index = GROUP_ORDER.indexOf(name);
    return index < 0 ? GROUP_ORDER.length : index;
  };
  return [...versions]
    .sort(([a], [b]) => place(a) - place(b) || compare(a, b))
    .map(([name, found]) => ({ name, versions: [...found].sort(compareVersions) }));
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STABILITY: Readonly<Record<string, number>> = { stable: 0, beta: 1, alpha: 2 };

/** Stable before beta before alpha, higher before lower, other names last. @spec apimachinery version helpers */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (!left || !right) return left ? -1 : right ? 1 : compare(a, b);
  return (
    STABILITY[left[2] ?? "stable"]! - STABILITY[right[2] ?? "stable"]! ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}

/** `v1` or `apps/v1`. */
export function groupVersionText(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}
