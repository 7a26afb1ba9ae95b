import type { Image } from "../wire/cri/cri-client.ts";

/** A line of `skiff image ls`: one name of one image, and the nodes that have it. */
export interface ImageRow {
  /** Without its tag; `<none>` for an image without a name. */
  readonly image: string;
  /** A tag, or `<none>`. */
  readonly tag: string;
  /** `sha256:…`. */
  readonly id: string;
  /** As stored: layers may be compressed. */
  readonly sizeBytes: number;
  readonly nodes: readonly string[];
}

const NONE = "<none>";

/** Merges what the nodes have, sorted by name. */
export function imageRows(byNode: ReadonlyMap<string, readonly Image[]>): readonly ImageRow[] {
  const rows = new Map<string, ImageRow>();
  for (const [node, images] of byNode)
    for (const { id, repoTags, repoDigests, size } of images)
      for (const { image, tag } of namesOf(repoTags, repoDigests)) {
        const key = `${image}:${tag} ${id}`;
        const nodes = [...(rows.get(key)?.nodes ?? []), node];
        rows.set(key, { image, tag, id, sizeBytes: size, nodes });
      }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function namesOf(
  tags: readonly string[],
  digests: readonly string[],
): readonly { readonly image: string; readonly tag: string }[] {
  if (tags.length > 0)
    return tags.map((name) => {
      const colon = name.lastIndexOf(":");
      return { image: name.slice(0, colon), tag: name.slice(colon + 1) };
    });
  const image = digests[0]?.split("@")[0] ?? NONE;
  return [{ image, tag: NONE }];
}

/** Fewest hex digits that are taken for the beginning of an image ID, as `ls` prints them. */
const ID_DIGITS_MIN = 12;

/**
 * The image ID that the text means: whole, or its beginning. `undefined`: it is a name.
 *
 * @throws {Error} several images begin like this.
 */
export function imageIdOf(text: string, rows: readonly ImageRow[]): string | undefined {
  const hex = text.replace(/^sha256:/, "");
  if (!/^[0-9a-f]+$/.test(hex) || hex.length < ID_DIGITS_MIN) return undefined;
  const ids = new Set(rows.map(({ id }) => id).filter((id) => id.startsWith(`sha256:${hex}`)));
  if (ids.size > 1) throw new Error(`'${text}' begins several image IDs: give more digits`);
  return [...ids][0];
}

/** The rows as text, one line each, under a heading. */
export function imageTable(rows: readonly ImageRow[]): readonly string[] {
  const cells = rows.map(({ image, tag, id, sizeBytes, nodes }) => [
    image,
    tag,
    id.slice("sha256:".length, "sha256:".length + ID_DIGITS_MIN),
    formatBytes(sizeBytes),
    nodes.join(","),
  ]);
  const table = [["IMAGE", "TAG", "IMAGE ID", "SIZE", "NODES"], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}

/** `12.3MB`: decimal, as image tools print it. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  while (value >= 1000 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${units[0] === "B" ? value : value.toPrecision(3)}${units[0]}`;
}
