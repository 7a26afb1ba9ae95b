import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { bindSubPath } from "./sub-path.ts";

/** Tries against a container that changes names all the time: each loses the race some way or the other. */
const TRIES = 60;

/** What a container does to its own volume: a folder, then a link out of it, then the folder again. */
const SWAPPING =
  'cd "$1"; while :; do mkdir swap; rmdir swap; ln -s "$2" swap; rm swap; done 2>/dev/null';

describe("bindSubPath", () => {
  let folder: string;
  let volume: string;
  let outside: string;
  let target: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "skiff-sub-path-"));
    [volume, outside, target] = ["volume", "outside", "target"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    mkdirSync(volume);
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "of the node");
    mkdirSync(join(volume, "inner"));
    writeFileSync(join(volume, "inner/file"), "of the volume");
    symlinkSync("inner", join(volume, "inside"));
    symlinkSync(outside, join(volume, "absolute"));
    symlinkSync("../outside", join(volume, "relative"));
    symlinkSync("../outside/none", join(volume, "dangling"));
  });
  const isMounted = (): boolean =>
    readFileSync("/proc/self/mounts", "utf8").includes(` ${target} `);
  afterEach(() => {
    while (isMounted()) execFileSync("umount", [target]);
  });
  after(() => rmSync(folder, { recursive: true }));

  const bind = async (path: string): Promise<string> =>
    bindSubPath(volume, path, target).then(
      () => "bound",
      (error: Error) => error.message,
    );

  it("binds folders, files and links that stay inside", async () => {
    assert.equal(await bind("inside"), "bound");
    assert.equal(readFileSync(join(target, "file"), "utf8"), "of the volume");
  });

  it("makes what is not there, inside", async () => {
    assert.equal(await bind("new/deep"), "bound");
    assert.ok(existsSync(join(volume, "new/deep")));
  });

  for (const path of ["absolute", "relative", "dangling", "absolute/secret", "../outside", "/etc"])
    it(`refuses ${path} (CVE-2017-1002101)`, async () => {
      assert.match(await bind(path), /leads out of its volume$|became a symbolic link$/);
      assert.ok(!isMounted());
      assert.ok(!existsSync(join(outside, "none")));
    });

  it("is not led out by links that change meanwhile (CVE-2021-25741)", async () => {
    const container = spawn("sh", ["-c", SWAPPING, "sh", volume, outside], { stdio: "ignore" });
    try {
      for (let count = 0; count < TRIES; count++) {
        const result = await bind("swap");
        if (result !== "bound") continue;
        assert.ok(!existsSync(join(target, "secret")), `led out at try ${count}`);
        execFileSync("umount", [target]);
      }
    } finally {
      container.kill("SIGKILL");
      await once(container, "exit");
    }
  });
});
