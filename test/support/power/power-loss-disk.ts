import type { Random } from "../../../src/base/random.ts";
import { isTable, type TracedCall } from "./traced-calls.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
/** What the kernel writes back at once. */
const CACHE_PAGE_SECTORS = 8;
/** Sectors of LMDB's two meta pages. */
const META_SECTORS = (2 * 8192) / SECTOR_BYTES;

/** What became of the writes that no sync covered when the power went. */
export const FATES = [
  "lost",
  "kept",
  "metas only",
  "all but metas",
  "newest only",
  "writes",
  "pages",
  "sectors",
] as const;
export type Fate = (typeof FATES)[number];

/** A version of a sector in the page cache, by the write that made it. */
interface Version {
  readonly write: number;
  readonly bytes: Buffer;
}

/** One file: what is surely on the disk, and for each sector what may be there instead. */
class File {
  cache: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  readonly pending = new Map<number, Version[]>();

  resize(bytes: number): void {
    this.cache = resized(this.cache, bytes);
  }

  write(at: number, bytes: Buffer, write: number): void {
    if (at + bytes.length > this.cache.length) this.resize(at + bytes.length);
    bytes.copy(this.cache, at);
    const last = Math.floor((at + bytes.length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(at / SECTOR_BYTES); sector <= last; sector++) {
      const copy = Buffer.from(this.cache.subarray(...extent(sector)));
      const versions = this.pending.get(sector);
      if (versions) versions.push({ write, bytes: copy });
      else this.pending.set(sector, [{ write, bytes: copy }]);
    }
  }

  /** Makes durable what `isCovered`. */
  sync(isCovered: (write: number, sector: number) => boolean, bytes: number): void {
    if (bytes > this.durable.length) this.durable = resized(this.durable, bytes);
    for (const [sector, versions] of this.pending) {
      const covered = versions.findLastIndex(({ write }) => isCovered(write, sector));
      if (covered < 0) continue;
      versions[covered]!.bytes.copy(this.durable, sector * SECTOR_BYTES);
      versions.splice(0, covered + 1);
      if (versions.length === 0) this.pending.delete(sector);
    }
  }

  /** The file as the disk may hold it. */
  after(fate: Fate, random: Random): Buffer {
    if (fate === "lost" || this.pending.size === 0) return Buffer.from(this.durable);
    const choose = chooser(fate, random, this.pending);
    const kept = [...this.pending].flatMap(([sector, versions]) => {
      const version = choose(sector, versions);
      return version ? [[sector, version.bytes] as const] : [];
    });
    const end = kept.reduce(
      (most, [sector, bytes]) => Math.max(most, sector * SECTOR_BYTES + bytes.length),
      this.durable.length,
    );
    // The length is metadata of its own: it may be there before the bytes.
    const length = fate === "kept" || random.integer(2) === 0 ? this.cache.length : end;
    const image = resized(this.durable, Math.max(length, end));
    for (const [sector, bytes] of kept) bytes.copy(image, sector * SECTOR_BYTES);
    return image;
  }
}

/** Files and folders of a traced process, replayed call by call; each can be asked what a power loss would leave. */
export class PowerLossDisk {
  readonly #files = new Map<string, File>();
  /** Names in folders, and whether they are surely on the disk. */
  readonly #names = new Map<string, boolean>();
  /** Names that were given away, new ones first, until their folder is synced. */
  readonly #renamed = new Map<string, string>();
  readonly #sizes = new Map<TracedCall, number>();

  /** A call has begun: what it writes may reach the disk from now on. */
  begin(call: TracedCall): void {
    if (call.kind === "create" && !this.#names.has(call.path)) this.#names.set(call.path, false);
    if (call.kind === "create" && isTable(call.path)) this.#file(call.path);
    if (call.kind === "remove") this.#names.delete(call.path);
    if (call.kind === "write") this.#file(call.path).write(call.at, call.bytes, call.begin);
    if (call.kind === "rename") this.#rename(call.path, call.to);
    if (call.kind === "size") this.#file(call.path).resize(call.bytes);
    if (call.kind === "sync") this.#sizes.set(call, this.#files.get(call.path)?.cache.length ?? 0);
  }

  /** It has returned: what it promised is so. `begin` was told of everything that had begun before. */
  end(call: TracedCall, endOf: (write: number) => number): void {
    if (call.kind === "write" && call.isDurable)
      // The length too: what was written must be found again.
      this.#files
        .get(call.path)!
        .sync(
          (write, sector) => write <= call.begin && overlaps(call, sector),
          call.at + call.bytes.length,
        );
    if (call.kind !== "sync") return;
    this.#files.get(call.path)?.sync((write) => endOf(write) < call.begin, this.#sizes.get(call)!);
    for (const path of this.#names.keys())
      if (path.slice(0, path.lastIndexOf("/")) === call.path) {
        this.#names.set(path, true);
        this.#renamed.delete(path);
      }
  }

  /** The files that are there after a power loss, by path. A name may be there before the bytes, or not at all. */
  after(fate: Fate, random: Random): ReadonlyMap<string, Buffer> {
    const gone = [...this.#names].flatMap(([name, isDurable]) =>
      isDurable || fate === "kept" || random.integer(2) === 0 ? [] : [name],
    );
    const isThere = (path: string): boolean =>
      !gone.some((name) => path === name || path.startsWith(`${name}/`));
    return new Map(
      [...this.#files].flatMap(([path, file]) => {
        const name = isThere(path) ? path : this.#renamed.get(path);
        return name && (name !== path || isThere(name)) ? [[name, file.after(fate, random)]] : [];
      }),
    );
  }

  #rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file) this.#files.set(to, file);
    this.#files.delete(from);
    this.#names.delete(from);
    this.#names.set(to, false);
    this.#renamed.set(to, from);
  }

  #file(path: string): File {
    const file = this.#files.get(path) ?? new File();
    this.#files.set(path, file);
    return file;
  }
}

function chooser(
  fate: Fate,
  random: Random,
  pending: ReadonlyMap<number, readonly Version[]>,
): (sector: number, versions: readonly Version[]) => Version | undefined {
  const coins = new Map<number, boolean>();
  const coin = (of: number): boolean => {
    if (!coins.has(of)) coins.set(of, random.integer(2) === 0);
    return coins.get(of)!;
  };
  const newest = Math.max(...[...pending.values()].map((versions) => versions.at(-1)!.write));
  switch (fate) {
    case "metas only":
      return (sector, versions) => (sector < META_SECTORS ? versions.at(-1) : undefined);
    case "all but metas":
      return (sector, versions) => (sector < META_SECTORS ? undefined : versions.at(-1));
    case "newest only":
      return (_, versions) => versions.find(({ write }) => write === newest);
    case "writes":
      return (_, versions) => versions.findLast(({ write }) => coin(write));
    case "pages":
      return (sector, versions) =>
        coin(Math.floor(sector / CACHE_PAGE_SECTORS)) ? versions.at(-1) : undefined;
    case "sectors":
      return (_, versions) => versions[random.integer(versions.length + 1)];
    default:
      return (_, versions) => versions.at(-1);
  }
}

function overlaps(call: TracedCall & { readonly kind: "write" }, sector: number): boolean {
  const [from, to] = extent(sector);
  return from < call.at + call.bytes.length && call.at < to;
}

function extent(sector: number): [number, number] {
  return [sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES];
}

function resized(from: Buffer, bytes: number): Buffer {
  const to = Buffer.alloc(bytes);
  from.copy(to);
  return to;
}
