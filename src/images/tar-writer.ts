/** One member of an archive to be written. */
export interface TarMember {
  readonly name: string;
  /** Absent: a folder, unless there is a `linkTarget`. */
  readonly content?: Uint8Array;
  /** Makes it a symbolic link. */
  readonly linkTarget?: string;
  /** Permission bits. */
  readonly mode?: number;
}

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;

/**
 * A tar archive of these members. Equal members give equal bytes: owner is root, times are zero.
 *
 * @throws {RangeError} a name of over 100 bytes.
 * @spec POSIX.1-1988 ustar
 */
export function tarArchive(members: readonly TarMember[]): Buffer {
  const parts = members.flatMap((member) => {
    const content = member.content ?? new Uint8Array();
    const padding = (BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES;
    return [header(member, content.length), content, Buffer.alloc(padding)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header({ name, content, linkTarget, mode }: TarMember, size: number): Buffer {
  const type = linkTarget !== undefined ? "2" : content ? "0" : "5";
  const block = Buffer.alloc(BLOCK_BYTES);
  const put = (text: string, at: number): void => void block.write(text, at, "utf8");
  for (const text of [name, linkTarget ?? ""])
    if (Buffer.byteLength(text) > NAME_BYTES_MAX)
      throw new RangeError(`'${text}' is too long for a tar header`);
  put(name, 0);
  put(octal(mode ?? (type === "5" ? 0o755 : 0o644), 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(0, 12), 136);
  put(" ".repeat(8), 148);
  put(type, 156);
  put(linkTarget ?? "", 157);
  put("ustar\0" + "00", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** Fills the field but for its closing NUL. */
function octal(value: number, length: number): string {
  return value.toString(8).padStart(length - 1, "0");
}
