import type { NodeImages } from "../images/node-images.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { onEach, withNodes, withStore, type Place } from "./image-place.ts";

/** `skiff image load ARCHIVE…`: images without a registry. */
export const imageLoad: Command = {
  name: "image load",
  summary: "load images from archives into every node",
  operands: "ARCHIVE …",
  flags: [
    {
      name: "tag",
      kind: "text",
      placeholder: "NAME",
      description: "name of the image where the archive gives none",
    },
    OUTPUT_FLAG,
  ],
  details:
    "ARCHIVE is what 'docker save' or 'podman save' writes, or an OCI archive, gzipped or not; '-' is standard input.\n" +
    "Nodes that are added or started later get the images too.",
  run: async (invocation) => {
    const { operands, flags } = invocation;
    needOperands(operands, "an archive, or '-' for standard input", "skiff image load ARCHIVE");
    const { normalizeName } = await import("../images/reference.ts");
    const tag = flags.text("tag");
    const name = tag === undefined ? undefined : checked(() => normalizeName(tag));
    return withStore(invocation, async (place) => {
      const loaded: LoadedImage[] = [];
      for (const archive of operands) {
        const images = await loadArchive(place, archive, name);
        loaded.push(...images);
        if (!wantsJson(flags)) images.forEach((image) => sayLoaded(invocation, place, image));
      }
      if (wantsJson(flags)) invocation.surroundings.print(JSON.stringify(loaded));
      return 0;
    });
  },
};

/** `skiff image ls`. */
export const imageList: Command = {
  name: "image ls",
  summary: "list the images of all nodes",
  operands: "",
  flags: [OUTPUT_FLAG],
  run: async (invocation) => {
    const { imageRows, imageTable } = await import("../images/cluster-images.ts");
    return withNodes(invocation, async ({ nodes }) => {
      const rows = imageRows(await onEach(nodes, "list images", (node) => node.list()));
      const { print } = invocation.surroundings;
      if (wantsJson(invocation.flags)) print(JSON.stringify(rows));
      else imageTable(rows).forEach(print);
      return 0;
    });
  },
};

/** `skiff image rm NAME…`. */
export const imageRemove: Command = {
  name: "image rm",
  summary: "remove images from every node",
  operands: "NAME|ID …",
  flags: [
    { name: "force", kind: "boolean", description: "even while containers use it" },
    OUTPUT_FLAG,
  ],
  details: "An image that has several names keeps the others; by its ID, all of it goes.",
  run: async (invocation) => {
    const { operands, flags, surroundings } = invocation;
    needOperands(operands, "an image", "skiff image rm NAME");
    return withStore(invocation, async (place) => {
      const removed: string[] = [];
      for (const operand of operands) {
        const names = await removeImage(place, operand, flags.isSet("force"));
        removed.push(...names);
        if (!wantsJson(flags)) names.forEach((name) => surroundings.print(`removed ${name}`));
      }
      if (wantsJson(flags)) surroundings.print(JSON.stringify({ removed }));
      return 0;
    });
  },
};

/** `skiff image pull NAME…`. */
export const imagePull: Command = {
  name: "image pull",
  summary: "pull images from their registries into every node",
  operands: "NAME …",
  flags: [OUTPUT_FLAG],
  run: async (invocation) => {
    const { operands, flags, surroundings } = invocation;
    needOperands(operands, "an image", "skiff image pull NAME");
    const { normalizeName } = await import("../images/reference.ts");
    const names = operands.map((operand) => checked(() => normalizeName(operand)));
    return withNodes(invocation, async ({ nodes }) => {
      const pulled: object[] = [];
      for (const name of names) {
        const ids = await onEach(nodes, `pull ${name}`, (node) => node.pull(name));
        pulled.push({ image: name, id: [...ids.values()][0], nodes: [...ids.keys()] });
        if (!wantsJson(flags))
          surroundings.print(`pulled ${name} on ${[...ids.keys()].join(", ")}`);
      }
      if (wantsJson(flags)) surroundings.print(JSON.stringify(pulled));
      return 0;
    });
  },
};

interface LoadedImage {
  readonly image: string;
  readonly digest: string;
  readonly nodes: readonly string[];
}

async function loadArchive(
  { layout, nodes }: Place,
  archive: string,
  name: string | undefined,
): Promise<readonly LoadedImage[]> {
  const { archiveSource } = await import("../images/archive-source.ts");
  const { readArchive } = await import("../images/archive.ts");
  const { ArchiveError } = await import("../images/archive-error.ts");
  try {
    const source = await archiveSource(archive);
    const images = await readArchive(layout, source, name === undefined ? {} : { name });
    await layout.put(images);
    await onEach(nodes, `load ${archive}`, (node) => node.load(layout, images));
    return images.map(({ name: image, target: { digest } }) => ({
      image,
      digest,
      nodes: [...nodes.keys()],
    }));
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const what = archive === "-" ? "standard input" : archive;
    throw new Error(`cannot load ${what}: ${error.message}`);
  } finally {
    await layout.collectGarbage();
  }
}

function sayLoaded(
  { surroundings }: Invocation,
  { absent }: Place,
  { image, nodes }: LoadedImage,
): void {
  const where = nodes.length > 0 ? `loaded ${image} on ${nodes.join(", ")}` : `kept ${image}`;
  const later = absent.length > 0 ? `; ${absent.join(", ")} will get it when started` : "";
  surroundings.print(where + later);
}

/** @returns the names that were removed anywhere. */
async function removeImage(
  { layout, nodes }: Place,
  operand: string,
  isForced: boolean,
): Promise<readonly string[]> {
  const { imageIdOf, imageRows } = await import("../images/cluster-images.ts");
  const { normalizeName } = await import("../images/reference.ts");
  const rows = imageRows(await onEach(nodes, "list images", (node) => node.list()));
  const image = imageIdOf(operand, rows) ?? checked(() => normalizeName(operand));
  if (!isForced) await refuseWhenUsed(nodes, operand, image);
  const found = await onEach(nodes, `remove ${operand}`, (node) => node.remove(image));
  const names = new Set([...found.values()].flat());
  const kept = (await layout.images()).filter(({ name }) => name === image || names.has(name));
  await layout.remove(new Set(kept.map(({ name }) => name)));
  kept.forEach(({ name }) => names.add(name));
  if (names.size === 0) throw new Error(`no node has an image '${operand}': see 'skiff image ls'`);
  return [...names].sort();
}

async function refuseWhenUsed(
  nodes: ReadonlyMap<string, NodeImages>,
  operand: string,
  image: string,
): Promise<void> {
  const users = await onEach(nodes, `look for users of ${operand}`, (node) =>
    node.usersOfLast(image),
  );
  for (const [node, [first, ...more]] of users)
    if (first !== undefined)
      throw new Error(
        `image '${operand}' is used on ${node} by ${first}${more.length > 0 ? ` and ${more.length} more` : ""}: ` +
          "delete the pod first, or give --force",
      );
}

function needOperands(operands: readonly string[], what: string, usage: string): void {
  if (operands.length === 0) throw new UsageError(`expected ${what}: ${usage}`);
}

/** A name that the user typed: when it is none, the arguments make no sense. */
function checked(parse: () => string): string {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
