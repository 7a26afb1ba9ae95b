import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Payload } from "../volumes/payload.ts";
import { writeAtomically } from "./atomic-folder.ts";

const payload = (files: Record<string, string>): Payload =>
  new Map(
    Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]),
  );

describe("writeAtomically", () => {
  const inFolder = (body: (folder: string) => Promise<void>) => async () => {
    const folder = await mkdtemp(join(tmpdir(), "skiff-atomic-"));
    await body(folder).finally(() => rm(folder, { recursive: true }));
  };

  it(
    "replaces the whole set, and leaves no old version behind",
    inFolder(async (folder) => {
      assert.equal(writeAtomically(folder, payload({ a: "1", "d/b": "2" }), {}, "v1"), true);
      assert.equal(writeAtomically(folder, payload({ a: "3", c: "4" }), {}, "v2"), true);
      assert.deepEqual((await readdir(folder)).sort(), ["..data", "..v2", "a", "c"]);
      assert.equal(await readFile(join(folder, "a"), "utf8"), "3");
      assert.equal((await stat(join(folder, "c"))).mode & 0o777, 0o640);
    }),
  );

  it(
    "writes nothing when nothing is new",
    inFolder(async (folder) => {
      writeAtomically(folder, payload({ a: "1" }), {}, "v1");
      assert.equal(writeAtomically(folder, payload({ a: "1" }), {}, "v2"), false);
    }),
  );

  for (const target of ["../outside", "..", "/proc/self/cwd/../outside", "..v1/../../outside"])
    it(
      `neither reads nor removes what ${target} leads to (CVE-2017-1002102)`,
      inFolder(async (parent) => {
        const [folder, outside] = [join(parent, "volume"), join(parent, "outside")];
        await mkdir(folder);
        await mkdir(outside);
        await writeFile(join(outside, "a"), "1");
        writeAtomically(folder, payload({ a: "1" }), {}, "v1");
        await rm(join(folder, "..data"));
        await symlink(target, join(folder, "..data"));
        assert.equal(writeAtomically(folder, payload({ a: "1" }), {}, "v2"), true);
        assert.equal(await readFile(join(outside, "a"), "utf8"), "1");
        assert.equal(await readFile(join(folder, "a"), "utf8"), "1");
      }),
    );

  for (const path of ["../x", "/x", "a/../../x", "..data", ""])
    it(
      `refuses the path ${JSON.stringify(path)}`,
      inFolder(async (folder) => {
        assert.throws(() => writeAtomically(folder, payload({ [path]: "" }), {}, "v1"));
      }),
    );
});
