import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openLog } from "./open-log.ts";

describe("openLog", () => {
  let folder: string;
  let root: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "skiff-open-log-"));
    root = join(folder, "pods");
    mkdirSync(join(root, "a_web_1/app"), { recursive: true });
    writeFileSync(join(root, "a_web_1/app/0.log"), "a line");
    // What the kubelet may read and the container may not.
    mkdirSync(join(folder, "node/app"), { recursive: true });
    writeFileSync(join(folder, "node/app/0.log"), "secret");
    symlinkSync(join(folder, "node/app/0.log"), join(root, "a_web_1/app/1.log"));
    symlinkSync(join(folder, "node/app"), join(root, "a_web_1/linked"));
    symlinkSync(join(folder, "node"), join(root, "a_linked_2"));
    execFileSync("mkfifo", [join(root, "a_web_1/app/2.log")]);
    mkdirSync(join(root, "a_web_1/app/3.log"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = async (path: string): Promise<string> => {
    const handle = await openLog(join(root, path)).catch(({ code }: { code: string }) => code);
    if (typeof handle === "string") return handle;
    return String(await handle.readFile().finally(() => handle.close()));
  };

  const rows: readonly (readonly [string, string, string])[] = [
    ["opens a log", "a_web_1/app/0.log", "a line"],
    ["follows no link in the log's place", "a_web_1/app/1.log", "ELOOP"],
    ["follows no link in its container's folder's place", "a_web_1/linked/0.log", "ENOTDIR"],
    ["follows no link in its Pod's folder's place", "a_linked_2/app/0.log", "ENOTDIR"],
    ["does not wait for a pipe", "a_web_1/app/2.log", "EINVAL"],
    ["opens no folder", "a_web_1/app/3.log", "EINVAL"],
    ["says that there is none", "a_web_1/app/9.log", "ENOENT"],
  ];
  for (const [what, path, expected] of rows)
    it(what, async () => assert.equal(await read(path), expected));

  it("leads through a linked root, which is the node's own business", async () => {
    symlinkSync(root, join(folder, "logs"));
    const handle = await openLog(join(folder, "logs/a_web_1/app/0.log"));
    assert.equal(String(await handle.readFile()), "a line");
    await handle.close();
  });
});
