import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pod } from "../../../test/support/builders.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import { ClaimUse } from "./claim-use.ts";
import type { MountedVolume } from "./persistent-mounts.ts";
import type { VolumeUse } from "./volume-use.ts";

const DISK = { capacityBytes: 100, availableBytes: 50, inodes: 10, inodesFree: 5 };

/** A Pod with claims of the names given, and volumes of which the disks answer when they are told to. */
class World {
  readonly clock = new VirtualClock();
  readonly mounted = new Map<string, MountedVolume>();
  /** Readings that were begun, in order. */
  readonly begun: string[] = [];
  readonly #answers = new Map<string, (use: VolumeUse | undefined) => void>();
  readonly use: ClaimUse;
  readonly user: V1Pod;

  constructor(measures: Readonly<Record<string, MountedVolume["measure"]>>) {
    const names = Object.keys(measures);
    for (const [name, measure] of Object.entries(measures))
      this.mounted.set(name, { path: `/${name}`, isReadOnly: false, ...(measure && { measure }) });
    const volumes = [...names, "waits"].map((name) => ({
      name,
      persistentVolumeClaim: { claimName: `claim-${name}` },
    }));
    this.mounted.set("nfs", { path: "/nfs", isReadOnly: false, measure: "disk" });
    this.user = pod("p", {
      metadata: { uid: "u" },
      spec: { volumes: [...volumes, { name: "nfs", nfs: { server: "s", path: "/" } }] },
    });
    this.use = new ClaimUse(
      this.clock,
      (uid) => (uid === "u" ? this.mounted : new Map()),
      (path) => {
        this.begun.push(path);
        return new Promise((resolve) => this.#answers.set(path, resolve));
      },
    );
  }

  /** `NAME=BYTES` of each volume that is told of. */
  read(pods: readonly V1Pod[] = [this.user]): string {
    const all = this.use.read(pods).get("u") ?? [];
    return all.map(({ name, bytes }) => `${name}=${bytes}`).join(" ");
  }

  async answer(path: string, bytes: number | undefined): Promise<void> {
    this.#answers.get(path)!(bytes === undefined ? undefined : { disk: DISK, bytes, inodes: 1 });
    await setImmediate();
  }
}

describe("ClaimUse", () => {
  it("tells at once what was read last, of claims whose use is known", async () => {
    const world = new World({ data: "files", whole: "disk", unknown: undefined });
    assert.equal(world.read(), "");
    await world.answer("/data", 1);
    assert.equal(world.read(), "data=1");
    await world.answer("/whole", 2);
    assert.equal(world.read(), "data=1 whole=2");
    assert.equal(world.use.read([world.user]).get("u")?.[0]?.claim, "claim-data");
    assert.deepEqual(world.begun, ["/data", "/whole"]);
  });

  it("reads again what is a minute old, and tells the old until that is done", async () => {
    const world = new World({ data: "files" });
    world.read();
    await world.answer("/data", 1);
    await world.clock.advance(59_999);
    assert.equal(world.read(), "data=1");
    assert.equal(world.begun.length, 1);
    await world.clock.advance(1);
    assert.equal(world.read(), "data=1");
    assert.equal(world.begun.length, 2);
    await world.answer("/data", 2);
    assert.equal(world.read(), "data=2");
  });

  it("tells no more of a volume that cannot be read", async () => {
    const world = new World({ data: "disk" });
    world.read();
    await world.answer("/data", 1);
    await world.clock.advance(60_000);
    world.read();
    await world.answer("/data", undefined);
    assert.equal(world.read(), "");
  });

  it("never begins a second reading of a disk that does not answer, and goes on to the others", async () => {
    const world = new World({ dead: "disk", data: "files" });
    for (const bytes of [1, 2, 3]) {
      world.read();
      await world.clock.advance(60_000);
      await world.answer("/data", bytes);
      assert.equal(world.read(), `data=${bytes}`);
      await world.clock.advance(60_000);
    }
    assert.deepEqual(world.begun, ["/dead", "/data", "/data", "/data"]);
    await world.answer("/dead", 4);
    assert.equal(world.read(), "dead=4 data=3");
  });

  it("reads one volume's files at a time, however long that takes", async () => {
    const world = new World({ a: "files", b: "files" });
    world.read();
    await world.clock.advance(300_000);
    world.read();
    assert.deepEqual(world.begun, ["/a"]);
    await world.answer("/a", 1);
    assert.deepEqual(world.begun, ["/a", "/b"]);
  });

  it("forgets volumes that nobody uses any more, also what is read of them later", async () => {
    const world = new World({ data: "files" });
    world.read();
    await world.answer("/data", 1);
    world.read([]);
    assert.equal(world.read(), "");
    assert.equal(world.begun.length, 2);
    world.read([]);
    await world.answer("/data", 2);
    assert.equal(world.read(), "");
  });
});
