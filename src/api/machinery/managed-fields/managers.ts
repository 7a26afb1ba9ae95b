import { isRecord } from "../json-value.ts";
import { goJson } from "./path-element.ts";
import { isEmptySet, readFieldSet, union, type FieldSet } from "./field-set.ts";

/** One entry of `metadata.managedFields`. @spec k8s@1.36 apimachinery meta/v1 types.go ManagedFieldsEntry */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

export type Operation = "Apply" | "Update";

/** Who owns fields: one of these has one set. */
export interface ManagerId {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
}

export interface ManagedSet extends ManagerId {
  readonly set: FieldSet;
  /** RFC 3339 in seconds; "" for none. */
  readonly time: string;
  /** What it was read from: written again as it is while nothing changes. */
  readonly entry?: ManagedFieldsEntry;
}

/** All managers of one object, by {@link managerKey}. */
export type Managers = ReadonlyMap<string, ManagedSet>;

export const NO_MANAGERS: Managers = new Map();

/**
 * What tells managers apart, and their order in conflicts. Whoever applies has one set, whatever version it applies in.
 *
 * @spec k8s@1.36 managedfields/internal/managedfields.go BuildManagerIdentifier
 */
export function managerKey({ manager, operation, apiVersion, subresource }: ManagerId): string {
  let text = manager === "" ? "" : `"manager":${goJson(manager)},`;
  text += `"operation":"${operation}"`;
  if (operation === "Update") text += `,"apiVersion":${goJson(apiVersion)}`;
  if (subresource !== "") text += `,"subresource":${goJson(subresource)}`;
  return `{${text}}`;
}

interface Keyed {
  readonly key: string;
  readonly managed: ManagedSet;
}

/** Entries that were read before: those of the live object are read at each of its updates. */
const readEntries = new WeakMap<object, Keyed>();

/**
 * The managers that an object's metadata names.
 *
 * @returns `undefined`: an entry cannot be read.
 */
export function readManagers(entries: readonly object[] | undefined): Managers | undefined {
  if (!entries || entries.length === 0) return NO_MANAGERS;
  const managers = new Map<string, ManagedSet>();
  for (const entry of entries) {
    const found = readEntries.get(entry) ?? readEntry(entry);
    if (!found) return undefined;
    managers.set(found.key, found.managed);
  }
  return managers;
}

function readEntry(entry: Partial<ManagedFieldsEntry>): Keyed | undefined {
  const { manager = "", operation, apiVersion = "", time = "", subresource = "" } = entry;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (apiVersion === "" || entry.fieldsType !== "FieldsV1") return undefined;
  const set = readFieldSet(entry.fieldsV1);
  if (!set) return undefined;
  const id = { manager, operation, apiVersion, subresource };
  const isAsRead = set === entry.fieldsV1;
  const asRead = { manager, operation, apiVersion, subresource, set, time };
  const managed = isAsRead ? { ...asRead, entry: entry as ManagedFieldsEntry } : asRead;
  const found = { key: managerKey(id), managed };
  readEntries.set(entry, found);
  return found;
}

/** The entries of `managers`, in the order of the wire; empty ones are left out. */
export function writeManagers(managers: Managers): readonly ManagedFieldsEntry[] {
  const entries: ManagedFieldsEntry[] = [];
  for (const managed of managers.values())
    if (!isEmptySet(managed.set)) entries.push(entryOf(managed));
  return entries.length > 1 ? entries.sort(compareEntries) : entries;
}

function entryOf({ entry, manager, operation, apiVersion, subresource, set, time }: ManagedSet) {
  const isSame = entry?.fieldsV1 === set && (entry.time ?? "") === time;
  if (entry && isSame && entry.apiVersion === apiVersion) return entry;
  return managedEntry({ manager, operation, apiVersion, subresource }, set, time);
}

/** One entry, its fields in the order of the wire. */
export function managedEntry(id: ManagerId, fieldsV1: FieldSet, time: string): ManagedFieldsEntry {
  const entry: { -readonly [K in keyof ManagedFieldsEntry]?: ManagedFieldsEntry[K] } = {};
  if (id.manager !== "") entry.manager = id.manager;
  entry.operation = id.operation;
  entry.apiVersion = id.apiVersion;
  if (time !== "") entry.time = time;
  entry.fieldsType = "FieldsV1";
  entry.fieldsV1 = fieldsV1;
  if (id.subresource !== "") entry.subresource = id.subresource;
  return entry as ManagedFieldsEntry;
}

const compareTexts = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);

/** Texts of times order as times do: all have one form. @spec managedfields.go sortEncodedManagedFields */
function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareTexts(a.operation, b.operation) ||
    compareTexts(a.time, b.time) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

/** Managers with one set changed; an empty set removes its manager. */
export function withSet(managers: Managers, key: string, managed: ManagedSet): Managers {
  const next = new Map(managers);
  if (isEmptySet(managed.set)) next.delete(key);
  else next.set(key, managed);
  return next;
}

/** Most managers of an object that update it; upstream's number, which bounds what scripts with names of their own can add. */
const UPDATERS_MAX = 10;
const OLD_UPDATERS = "ancient-changes";

/**
 * Managers with the oldest of too many updaters joined into one entry per version.
 *
 * @spec k8s@1.36 managedfields/internal/capmanagers.go
 */
export function cappedManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  if (updaters.length <= UPDATERS_MAX) return managers;
  updaters.sort(
    ([a, left], [b, right]) => compareTexts(left.time, right.time) || compareTexts(a, b),
  );
  const next = new Map(managers);
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [key, managed] of updaters) {
    if (count <= UPDATERS_MAX) break;
    const { apiVersion } = managed;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, key);
      continue;
    }
    const id = { manager: OLD_UPDATERS, operation: "Update", apiVersion, subresource: "" } as const;
    const bucket = managerKey(id);
    const held = next.get(bucket) ?? next.get(first)!;
    if (!next.has(bucket)) next.delete(first);
    next.delete(key);
    next.set(bucket, { ...id, set: union(managed.set, held.set), time: managed.time });
    count--;
  }
  return next;
}

/** True when a client asks for the managers to be forgotten: an empty list, or one empty entry. */
export function isReset(entries: readonly object[] | undefined): boolean {
  if (entries === undefined) return false;
  if (entries.length === 0) return true;
  return entries.length === 1 && isRecord(entries[0]) && Object.keys(entries[0]).length === 0;
}
