import { ArchiveError } from "./archive-error.ts";
import { ByteReader } from "./byte-reader.ts";

/** One member of a tar archive. */
export interface TarEntry {
  /** Checked: relative, without `..`. */
  readonly name: string;
  readonly kind: "file" | "folder" | "link";
  readonly size: number;
  /** For links: the name of the member that it means, checked as well. */
  readonly target: string;
  /** For files: to be read before the next entry is asked for, or it is skipped. */
  readonly content: AsyncIterable<Buffer>;
}

const BLOCK_BYTES = 512;

/** Members of one archive. Docker's largest have a few hundred; ten times more costs memory for their names. */
const ENTRIES_MAX = 100_000;

/** A long name or extended header. Paths end at 4 kB; twice as much only admits junk. */
const EXTENSION_BYTES_MAX = 64 * 1024;

/** What an extended header says about the next member. */
type Extension = Readonly<{ path?: string; linkpath?: string; size?: number }>;

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly linkName: string;
}

/**
 * Yields the members of a tar archive in order; pax and GNU long names are followed.
 *
 * @throws {ArchiveError} no tar archive, damaged, cut off, or a name that leads out of it.
 * @spec POSIX.1-2017 pax; GNU tar manual, Basic Tar Format
 */
export async function* tarEntries(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  let extension: Extension = {};
  for (let count = 0; ; count++) {
    if (count > ENTRIES_MAX) throw new ArchiveError(`it has over ${ENTRIES_MAX} members`);
    const block = await reader.read(BLOCK_BYTES);
    if (block.length === BLOCK_BYTES && block.every((byte) => byte === 0)) return;
    const header = parseHeader(block, count);
    if ("xLKg".includes(header.type)) {
      extension = { ...extension, ...(await readExtension(reader, header)) };
      continue;
    }
    const size = extension.size ?? header.size;
    const body = new EntryBody(reader, header.name, size);
    yield entryOf({ ...header, size }, extension, body);
    await body.skip();
    extension = {};
  }
}

/** The content of one member, read at most once. */
class EntryBody {
  readonly #reader: ByteReader;
  readonly #name: string;
  readonly #size: number;
  #missing: number;

  constructor(reader: ByteReader, name: string, size: number) {
    this.#reader = reader;
    this.#name = name;
    this.#size = size;
    this.#missing = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    while (this.#missing > 0) {
      const { value, done } = await this.#reader.take(this.#missing).next();
      if (done)
        throw new ArchiveError(
          `it is cut off inside '${this.#name}' (${this.#missing} bytes missing)`,
        );
      this.#missing -= value.length;
      yield value;
    }
  }

  /** Steps over what was not read, and over the padding. */
  async skip(): Promise<void> {
    for await (const chunk of this) void chunk;
    await this.#reader.read(padding(this.#size));
  }
}

function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function parseHeader(block: Buffer, count: number): Header {
  const where = count === 0 ? "it is no tar archive" : `it is damaged at member ${count + 1}`;
  if (block.length === 0 && count > 0)
    throw new ArchiveError("it is cut off: its end mark is missing");
  if (block.length < BLOCK_BYTES) throw new ArchiveError(`${where}: it ends inside a header`);
  const sum = block.reduce(
    (total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte),
    0,
  );
  if (number(block, 148, 8) !== sum)
    throw new ArchiveError(`${where}: a header's checksum is wrong`);
  const prefix = text(block, 257, 5) === "ustar" && block[262] === 0 ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const size = number(block, 124, 12);
  if (!Number.isSafeInteger(size) || size < 0) throw new ArchiveError(`${where}: impossible size`);
  return {
    name: prefix ? `${prefix}/${name}` : name,
    size,
    type: String.fromCharCode(block[156]!),
    linkName: text(block, 157, 100),
  };
}

function text(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** Octal digits, or (GNU) a binary number behind the byte 0x80. */
function number(block: Buffer, from: number, length: number): number {
  if (block[from] === 0x80)
    return Number(BigInt(`0x${block.toString("hex", from + 1, from + length)}`));
  const digits = text(block, from, length).trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || "0", 8) : NaN;
}

async function readExtension(reader: ByteReader, { type, size }: Header): Promise<Extension> {
  if (size > EXTENSION_BYTES_MAX) throw new ArchiveError(`an extended header has ${size} bytes`);
  const content = await reader.read(size);
  await reader.read(padding(size));
  const ended = (): string => content.toString("utf8").replace(/\0+$/, "");
  if (type === "L") return { path: ended() };
  if (type === "K") return { linkpath: ended() };
  return type === "x" ? paxExtension(content) : {};
}

/** Records of the form `LENGTH KEY=VALUE\n`. */
function paxExtension(content: Buffer): Extension {
  const found: { path?: string; linkpath?: string; size?: number } = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const length = space < 0 ? NaN : Number(content.toString("latin1", at, space));
    if (!Number.isInteger(length) || length <= space - at || at + length > content.length)
      throw new ArchiveError("an extended header is damaged");
    const record = content.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const value = record.slice(equals + 1);
    const key = record.slice(0, equals);
    if (key === "path") found.path = value;
    else if (key === "linkpath") found.linkpath = value;
    else if (key === "size") found.size = paxSize(value);
    at += length;
  }
  return found;
}

function paxSize(value: string): number {
  const size = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size))
    throw new ArchiveError(`an extended header gives '${value}' as a size`);
  return size;
}

function entryOf(header: Header, extension: Extension, content: AsyncIterable<Buffer>): TarEntry {
  const name = safeName(extension.path ?? header.name);
  const { size, type } = header;
  const linkName = extension.linkpath ?? header.linkName;
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return { name, kind: "file", size, target: "", content };
    case "5":
      return { name, kind: "folder", size, target: "", content };
    case "1":
      return { name, kind: "link", size, target: safeName(linkName), content };
    case "2":
      return { name, kind: "link", size, target: relativeTo(name, linkName), content };
    default:
      throw new ArchiveError(`'${name}' is of a kind (${type}) that no image archive has`);
  }
}

/** A symbolic link's target, counted from the folder that the link is in. */
function relativeTo(link: string, target: string): string {
  const folder = link.split("/").slice(0, -1);
  const leadsOut = (): never => {
    throw new ArchiveError(`the link '${link}' leads out of it, to '${target}'`);
  };
  if (target.startsWith("/")) leadsOut();
  for (const part of target.split("/")) {
    if (part === "..") {
      if (folder.pop() === undefined) leadsOut();
    } else if (part !== "" && part !== ".") folder.push(part);
  }
  return folder.join("/");
}

/** Member names never become paths of ours; one that tries to is refused all the same: it shows what the archive is. */
function safeName(name: string): string {
  const parts = name.split("/");
  if (name.startsWith("/") || parts.includes("..") || name.includes("\0"))
    throw new ArchiveError(`it has a member named '${name}', which leads out of it`);
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}
