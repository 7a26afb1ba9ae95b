import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CNI_PACKAGE, CNI_PLUGINS, REQUIREMENTS } from "../../src/host/requirements.ts";

const setup = readFileSync("tools/setup.mjs", "utf8");

describe("tools/setup.mjs", () => {
  it("installs exactly what src/host/requirements.ts names", () => {
    const list = setup.slice(
      setup.indexOf("const CLUSTER_BINARIES"),
      setup.indexOf("const TEST_BINARIES"),
    );
    assert.deepEqual(
      [...list.matchAll(/\["([^"]+)", "([^"]+)"\]/g)].map(([, binary, debianPackage]) => ({
        binary,
        debianPackage,
      })),
      REQUIREMENTS,
    );
    assert.ok(setup.includes(JSON.stringify(CNI_PLUGINS).replaceAll(",", ", ")));
    assert.ok(setup.includes(`"${CNI_PACKAGE}"`));
  });

  it("uses nothing but node: modules", () => {
    const imports = [...setup.matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier!);
    assert.deepEqual(
      imports.filter((specifier) => !specifier.startsWith("node:")),
      [],
    );
  });

  it("refuses an old Node.js in its first line", () => {
    const old = 'Object.defineProperty(process.versions, "node", { value: "18.19.0" });';
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(old)}`, "tools/setup.mjs", "start"],
      { encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^Skiff needs Node.js 20 or newer; this is 18.19.0/);
  });
});
