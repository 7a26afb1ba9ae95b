import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SystemRandom } from "../../base/system-random.ts";
import { machineNameOf, makeOwnVolume, removeOwnVolume } from "./own-volumes.ts";

const random = new SystemRandom();

describe("the cluster's own volumes on disk", () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-own-volumes-"));
  after(() => rmSync(root, { recursive: true }));

  it("all nodes that share the folder give the machine one name, and it lasts", async () => {
    const folder = join(root, "shared");
    const names = await Promise.all([1, 2, 3, 4].map(() => machineNameOf(folder, random)));
    assert.match(names[0]!, /^[a-z0-9]{12}$/);
    assert.deepEqual([...new Set([...names, await machineNameOf(folder, random)])], [names[0]]);
    assert.deepEqual(readdirSync(folder), [".machine"]);
    assert.notEqual(await machineNameOf(join(root, "other"), random), names[0]);
  });

  it("a new volume may be written by everybody; what is there stays as it is", async () => {
    const folder = await makeOwnVolume(join(root, "made"), "pvc-1");
    assert.equal(statSync(folder).mode & 0o7777, 0o777);
    rmSync(folder, { recursive: true });
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "file"), "");
    assert.equal(await makeOwnVolume(join(root, "made"), "pvc-1"), folder);
    assert.equal(statSync(folder).mode & 0o7777, 0o700);
    assert.ok(existsSync(join(folder, "file")));
  });

  it("a folder that a crash left before everybody might write it is finished", async () => {
    const volumes = join(root, "crashed");
    mkdirSync(volumes);
    mkdirSync(join(volumes, "pvc-1"), { mode: 0o1000 });
    assert.equal(statSync(await makeOwnVolume(volumes, "pvc-1")).mode & 0o7777, 0o777);
  });

  it("a volume goes with all that it holds, and what a crash left of it", async () => {
    const volumes = join(root, "gone");
    const folder = await makeOwnVolume(volumes, "pvc-1");
    mkdirSync(join(volumes, ".removed-pvc-1"));
    writeFileSync(join(volumes, ".removed-pvc-1/old"), "");
    writeFileSync(join(folder, "file"), "");
    await makeOwnVolume(volumes, "pvc-2");
    await removeOwnVolume(volumes, "pvc-1");
    await removeOwnVolume(volumes, "pvc-1");
    assert.deepEqual(readdirSync(volumes), ["pvc-2"]);
  });

  for (const handle of ["", ".", "..", "../x", "a/b", ".machine", "/etc", "a\0b", "x".repeat(254)])
    it(`the handle ${JSON.stringify(handle.slice(0, 20))} names no folder`, async () => {
      await assert.rejects(makeOwnVolume(join(root, "refused"), handle), /cannot name a folder/);
      await assert.rejects(removeOwnVolume(join(root, "refused"), handle), /cannot name a folder/);
    });
});
