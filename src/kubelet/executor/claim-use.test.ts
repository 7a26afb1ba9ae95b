import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import type { VolumeReading } from "../server/stats-reading.ts";
import { ClaimUse } from "./claim-use.ts";
import type { MountedVolume } from "./persistent-mounts.ts";

describe("ClaimUse", () => {
  const path = mkdtempSync(join(tmpdir(), "claim-use-"));
  after(() => rmSync(path, { recursive: true }));
  const volumes = ["data", "whole", "unknown", "waits"].map((name) => ({
    name,
    persistentVolumeClaim: { claimName: `claim-${name}` },
  }));
  const user = pod("p", {
    metadata: { uid: "u" },
    spec: { volumes: [...volumes, { name: "nfs", nfs: { server: "s", path: "/" } }] },
  });
  const mounted = new Map<string, MountedVolume>([
    ["data", { path, isReadOnly: false, measure: "files" }],
    ["whole", { path: "/", isReadOnly: false, measure: "disk" }],
    ["unknown", { path: tmpdir(), isReadOnly: false }],
    ["nfs", { path, isReadOnly: false, measure: "disk" }],
  ]);
  const clock = new VirtualClock();
  const use = new ClaimUse(clock, (uid) => (uid === "u" ? mounted : new Map()));
  const read = async (): Promise<ReadonlyMap<string, VolumeReading>> => {
    const all = await use.read([user]);
    return new Map(all.get("u")!.map((one) => [one.name, one]));
  };

  it("tells of claims whose use is known: by files, or by the disk", async () => {
    writeFileSync(join(path, "file"), "x".repeat(10_000));
    const found = await read();
    assert.deepEqual([...found.keys()], ["data", "whole"]);
    const [data, whole] = [found.get("data")!, found.get("whole")!];
    assert.deepEqual([data.claim, data.inodes], ["claim-data", 1]);
    assert.ok(data.bytes >= 10_000 && data.bytes < data.disk.capacityBytes);
    assert.equal(whole.bytes, whole.disk.capacityBytes - whole.disk.availableBytes);
  });

  it("looks at the files once a minute at most", async () => {
    writeFileSync(join(path, "more"), "");
    assert.equal((await read()).get("data")?.inodes, 1);
    await clock.advance(60_000);
    assert.equal((await read()).get("data")?.inodes, 2);
  });

  it("forgets Pods that are not asked for any more", async () => {
    writeFileSync(join(path, "third"), "");
    await use.read([]);
    assert.equal((await read()).get("data")?.inodes, 3);
  });
});
