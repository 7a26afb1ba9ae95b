import { createHash } from "node:crypto";
import type { Entry, EntryKind, ServedApi } from "./source.ts";
import { entriesOf, groupVersionText } from "./source.ts";

/** `/api/v1`, `/apis/GROUP/VERSION`; `undefined` when nothing of that version is served. */
export function resourceList(api: ServedApi, group: string, version: string): object | undefined {
  const entries = entriesOf(api, group, version);
  if (entries.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    // The core list carries none, for clients older than the field.
    ...(group !== "" && { apiVersion: "v1" }),
    groupVersion: groupVersionText(group, version),
    resources: entries.flatMap((entry) => rows(entry, { group, version })),
  };
}

function rows(entry: Entry, here: { group: string; version: string }): object[] {
  const { plural, isNamespaced: namespaced } = entry;
  return [
    {
      name: plural,
      singularName: entry.singular,
      namespaced,
      ...elsewhere(entry.kind, here),
      kind: entry.kind.kind,
      verbs: entry.verbs,
      ...(entry.shortNames && { shortNames: entry.shortNames }),
      ...(entry.categories && { categories: entry.categories }),
      ...(entry.isStored && { storageVersionHash: storageVersionHash(entry.kind) }),
    },
    ...entry.subresources.map(({ name, kind, verbs }) => ({
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      ...elsewhere(kind, here),
      kind: kind.kind,
      verbs,
    })),
  ];
}

/** Group and version of a kind that lives elsewhere (`Scale`, `Eviction`). */
function elsewhere(kind: EntryKind, here: { group: string; version: string }): object {
  const isSame = kind.group === here.group && kind.version === here.version;
  if (isSame) return {};
  return { ...(kind.group !== "" && { group: kind.group }), version: kind.version };
}

/** Bytes of the digest that upstream keeps: enough to tell a few hundred kinds apart. */
const HASH_BYTES = 8;

/** @spec k8s@1.36 apiserver endpoints/discovery storageversionhash.go */
function storageVersionHash({ group, version, kind }: EntryKind): string {
  const digest = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, HASH_BYTES).toString("base64");
}
