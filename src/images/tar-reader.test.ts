import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ArchiveError } from "./archive-error.ts";
import { tarEntries } from "./tar-reader.ts";
import { tarArchive } from "./tar-writer.ts";

/** The bytes in chunks of `chunkBytes`, which no boundary of the format knows. */
async function* inChunks(bytes: Uint8Array, chunkBytes = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function read(bytes: Uint8Array, chunkBytes?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const { kind, name, target, content } of tarEntries(inChunks(bytes, chunkBytes))) {
    let text = "";
    for await (const chunk of content) text += chunk.toString();
    lines.push([kind, name, target, text].filter(Boolean).join(" "));
  }
  return lines;
}

const file = (name: string, text = "x"): { name: string; content: Buffer } => ({
  name,
  content: Buffer.from(text),
});

describe("tarEntries", () => {
  it("reads what tarArchive writes, whatever the chunks", async () => {
    const big = "y".repeat(5000);
    const archive = tarArchive([
      { name: "folder" },
      file("./folder/a", "one"),
      file("empty", ""),
      file("big", big),
      { name: "folder/link", linkTarget: "../big" },
    ]);
    for (const chunkBytes of [1, 511, 512, 513, 100_000])
      assert.deepEqual(await read(archive, chunkBytes), [
        "folder folder",
        "file folder/a one",
        "file empty",
        `file big ${big}`,
        "link folder/link big",
      ]);
  });

  it("skips content that nobody reads", async () => {
    const names: string[] = [];
    for await (const { name } of tarEntries(inChunks(tarArchive([file("a"), file("b")]))))
      names.push(name);
    assert.deepEqual(names, ["a", "b"]);
  });

  for (const format of ["pax", "gnu", "ustar"])
    it(`reads what tar --format=${format} writes`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-tar-"));
      const long = `${"d".repeat(90)}/${format === "ustar" ? "f" : "f".repeat(120)}`;
      try {
        mkdirSync(join(folder, "d".repeat(90)));
        writeFileSync(join(folder, long), "deep");
        symlinkSync(long, join(folder, "z"));
        const members = format === "ustar" ? [long] : [long, "z"];
        const archive = execFileSync("tar", ["-C", folder, `--format=${format}`, "-c", ...members]);
        const links = format === "ustar" ? [] : [`link z ${long}`];
        assert.deepEqual(await read(archive), [`file ${long} deep`, ...links]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

  const whole = tarArchive([file("a", "z".repeat(600)), file("b")]);
  const damaged = Buffer.from(whole);
  damaged[0] = 0x62;
  for (const [what, bytes, message] of [
    ["no tar archive", Buffer.alloc(600, "text"), /no tar archive/],
    ["nothing", Buffer.alloc(0), /no tar archive/],
    ["an archive cut inside a member", whole.subarray(0, 800), /cut off inside 'a' \(312 bytes/],
    ["an archive cut inside a header", whole.subarray(0, 1700), /ends inside a header/],
    ["an archive without its end", whole.subarray(0, 1536), /end mark is missing/],
    ["a damaged header", damaged, /checksum/],
    ["a name with ..", tarArchive([file("a/../../etc/passwd")]), /leads out of it/],
    ["an absolute name", tarArchive([file("/etc/passwd")]), /leads out of it/],
    ["an absolute link", tarArchive([{ name: "l", linkTarget: "/etc" }]), /leads out of it/],
    ["a link upwards", tarArchive([{ name: "a/l", linkTarget: "../../b" }]), /leads out of it/],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(
        read(bytes),
        (error) => error instanceof ArchiveError && message.test(error.message),
      );
    });
});

describe("tarArchive", () => {
  it("is read by tar", () => {
    const archive = tarArchive([{ name: "d" }, file("d/a", "one"), { name: "l", linkTarget: "d" }]);
    const listed = execFileSync("tar", ["-tv", "--numeric-owner"], { input: archive });
    assert.match(
      listed.toString(),
      /drwxr-xr-x 0\/0.* d\n-rw-r--r-- 0\/0 +3 .* d\/a\nl.* l -> d\n/,
    );
  });
});
