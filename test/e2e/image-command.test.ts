import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SystemClock } from "../../src/base/system-clock.ts";
import { SystemRandom } from "../../src/base/system-random.ts";
import { LOCAL_COMMANDS } from "../../src/cli/all.ts";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { writeClusterFile } from "../../src/host/cluster-file.ts";
import { writePidFile } from "../../src/host/process-record.ts";
import { StateFolder } from "../../src/host/state-folder.ts";
import { testImageArchive } from "../../tools/make-test-images.mjs";
import { startTestContainerd, type TestContainerd } from "../support/containerd.ts";
import { dockerArchive, layerOf } from "../support/crafted-archives.ts";

describe("skiff image, on a cluster of two nodes of which one runs", () => {
  const home = mkdtempSync(join(tmpdir(), "skiff-home-"));
  const state = new StateFolder(home, "skiff");
  let containerd: TestContainerd;

  const skiff = async (
    ...words: readonly string[]
  ): Promise<{ status: number; out: string; err: string }> => {
    const out: string[] = [];
    const err: string[] = [];
    const clock = new SystemClock();
    const status = await runCommandLine(LOCAL_COMMANDS, words, {
      clock,
      random: new SystemRandom(),
      startedAt: clock.monotonic(),
      home,
      environment: {},
      userPath: "",
      schedulerConfigProblem: () => undefined,
      untilInterrupted: () => Promise.resolve(),
      isRoot: true,
      program: { node: "", entry: "", superviseScript: "" },
      print: (line) => void out.push(line),
      complain: (line) => void err.push(line),
    });
    return { status, out: out.join("\n"), err: err.join("\n") };
  };

  before(async () => {
    containerd = await startTestContainerd();
    const ranges = {
      nodeCidr: "10.88.0.0/24",
      podCidr: "10.244.0.0/16",
      serviceCidr: "10.96.0.0/16",
    };
    writeClusterFile(state.clusterFile, {
      schemaVersion: 1,
      name: "skiff",
      apiPort: 6443,
      ranges,
      nodes: [
        { name: "skiff-1", ip: "10.88.0.2" },
        { name: "skiff-2", ip: "10.88.0.3" },
      ],
      given: { bridge: "", table: "", folders: [] },
    });
    // The commands ask whether a supervisor and the nodes' agents live; any process of the node's namespaces will do.
    writePidFile(state.pidFile("supervise"), process.pid);
    writePidFile(state.pidFile("agent-skiff-1"), containerd.pid);
  });
  after(async () => {
    await containerd?.close();
    rmSync(home, { recursive: true });
  });

  it("loads an archive, says where it is, and lists it", async () => {
    assert.deepEqual(await skiff("image", "load", testImageArchive("busybox")), {
      status: 0,
      out: [
        "loaded docker.io/library/busybox:latest on skiff-1; skiff-2 will get it when started",
        "loaded docker.io/library/busybox:1.29 on skiff-1; skiff-2 will get it when started",
      ].join("\n"),
      err: "",
    });
    const { out } = await skiff("image", "ls");
    assert.match(out, /^IMAGE +TAG +IMAGE ID +SIZE +NODES$/m);
    assert.match(out, /^docker\.io\/library\/busybox +1\.29 +[0-9a-f]{12} +\S+MB +skiff-1$/m);
  });

  it("prints JSON and nothing else when asked to", async () => {
    const archive = join(home, "small.tar");
    writeFileSync(archive, dockerArchive([{ names: ["small:1"], layers: [layerOf({ a: "b" })] }]));
    const loaded = await skiff("image", "load", archive, "-o", "json");
    assert.deepEqual(
      (JSON.parse(loaded.out) as { image: string; nodes: string[] }[]).map(({ image, nodes }) => ({
        image,
        nodes,
      })),
      [{ image: "docker.io/library/small:1", nodes: ["skiff-1"] }],
    );
    const rows = JSON.parse((await skiff("image", "ls", "-o", "json")).out) as { tag: string }[];
    assert.deepEqual(rows.map(({ tag }) => tag).sort(), ["1", "1.29", "latest"]);
  });

  it("removes by name and by ID, in the cluster's own store too", async () => {
    const rows = JSON.parse((await skiff("image", "ls", "-o", "json")).out) as {
      tag: string;
      id: string;
    }[];
    const { id } = rows.find(({ tag }) => tag === "1.29")!;
    assert.equal((await skiff("image", "rm", "small:1")).out, "removed docker.io/library/small:1");
    const byId = await skiff("image", "rm", id.slice(7, 19), "--output", "json");
    assert.deepEqual(JSON.parse(byId.out), { removed: ["docker.io/library/busybox:1.29"] });
    const index = readFileSync(join(state.path, "images", "index.json"), "utf8");
    assert.deepEqual(index.match(/busybox:\S+?"|small:\S+?"/g), ['busybox:latest"']);
  });

  for (const [words, status, message] of [
    [["image", "load"], 2, /expected an archive/],
    [["image", "load", "/nowhere.tar"], 1, /there is no file \/nowhere\.tar/],
    [["image", "load", "/tmp"], 1, /\/tmp is a folder/],
    [["image", "load", "/etc/passwd"], 1, /cannot load \/etc\/passwd: it is no tar archive/],
    [["image", "load", "x", "--tag", "A B"], 2, /no image name/],
    [["image", "rm", "nowhere"], 1, /no node has an image 'nowhere'/],
    [["image", "rm"], 2, /expected an image/],
    [["image", "pull", "Bad"], 2, /lower case/],
    [
      ["image", "pull", "localhost:1/none"],
      1,
      /node skiff-1 cannot pull localhost:1\/none:latest: .*refused/,
    ],
    [["image", "ls", "--name", "other"], 1, /there is no cluster 'other'/],
  ] as const)
    it(`skiff ${words.join(" ")}: exit ${status}`, async () => {
      const result = await skiff(...words);
      assert.equal(result.status, status);
      assert.match(result.err, message);
    });

  it("skiff image names its commands", async () => {
    const { status, out } = await skiff("image", "--help");
    assert.equal(status, 0);
    for (const name of ["load", "ls", "rm", "pull"])
      assert.match(out, new RegExp(`image ${name} `));
  });
});
