import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { SystemClock } from "../../src/base/system-clock.ts";
import { readArchive } from "../../src/images/archive.ts";
import { ImageLayout } from "../../src/images/layout.ts";
import { NodeImages } from "../../src/images/node-images.ts";
import { PAUSE_IMAGE } from "../../src/images/pause-image.ts";
import { tarArchive } from "../../src/images/tar-writer.ts";
import { findBinary } from "../../src/host/requirements.ts";
import { GrpcChannel } from "../../src/wire/grpc/channel.ts";
import { CONTAINER_RUNNING } from "../../src/wire/cri/cri-client.ts";
import { GrpcCriClient } from "../../src/wire/cri/grpc-cri-client.ts";
import { startTestContainerd, type TestContainerd } from "../support/containerd.ts";
import { dockerArchive, layerOf, ociArchive } from "../support/crafted-archives.ts";

const CATATONIT = findBinary("catatonit", "")!;

/** A static program is enough of an image: as an init it runs what it is told, which is itself. */
const program = tarArchive([{ name: "init", content: readFileSync(CATATONIT), mode: 0o755 }]);
const config = { Entrypoint: ["/init", "-P"] };

describe("images in a real containerd", () => {
  let containerd: TestContainerd;
  let folder: string;
  let layout: ImageLayout;
  let images: NodeImages;

  const load = async (archive: Buffer): Promise<void> => {
    const loaded = await readArchive(layout, Readable.from([archive]));
    await layout.put(loaded);
    await images.load(layout, loaded);
  };
  const tagsNow = async (): Promise<readonly string[]> =>
    (await images.list()).flatMap(({ repoTags }) => repoTags).sort();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skiff-images-"));
    layout = new ImageLayout(folder);
    containerd = await startTestContainerd();
    images = new NodeImages(new SystemClock(), containerd.endpoint);
  });
  after(async () => {
    images?.close();
    await containerd?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("CRI lists a loaded docker archive at once, under all its names", async () => {
    await load(
      dockerArchive([
        {
          names: ["app", "registry.example/app:v1"],
          layers: [program, layerOf({ a: "1" })],
          config,
        },
      ]),
    );
    assert.deepEqual(await tagsNow(), ["docker.io/library/app:latest", "registry.example/app:v1"]);
  });

  it("CRI lists an OCI archive, gzipped layers in a gzipped archive", async () => {
    await load(
      gzipSync(ociArchive([{ names: ["docker.io/library/oci:2"], layers: [program], config }], 1)),
    );
    assert.ok((await tagsNow()).includes("docker.io/library/oci:2"));
  });

  it("the pause image is made once, and a pod's containers run of what was loaded", async () => {
    await images.ensurePauseImage(CATATONIT);
    await images.ensurePauseImage(CATATONIT);
    assert.ok((await tagsNow()).includes(PAUSE_IMAGE));
    const states = await runPod(containerd, ["app", "oci:2"]);
    assert.deepEqual(states, [CONTAINER_RUNNING, CONTAINER_RUNNING]);
  });

  it("everything survives containerd's garbage collector", async () => {
    ctr(containerd, "content", "prune", "references");
    const states = await runPod(containerd, ["app", "oci:2"]);
    assert.deepEqual(states, [CONTAINER_RUNNING, CONTAINER_RUNNING]);
  });

  it("loading anew moves the name to the new image", async () => {
    const before = (await images.list()).find(({ repoTags }) => repoTags.includes(APP))!;
    await load(dockerArchive([{ names: ["app"], layers: [program], config: { Env: ["A=1"] } }]));
    const moved = (await images.list()).find(({ repoTags }) => repoTags.includes(APP))!;
    assert.notEqual(moved.id, before.id);
    assert.deepEqual(moved.repoTags, [APP]);
  });

  it("removes a name, and the image with its last name", async () => {
    await load(dockerArchive([{ names: ["x:1", "x:2"], layers: [layerOf({ b: "2" })] }]));
    assert.deepEqual(await images.remove("docker.io/library/x:1"), ["docker.io/library/x:1"]);
    assert.ok((await tagsNow()).includes("docker.io/library/x:2"));
    assert.deepEqual(await images.remove("docker.io/library/x:2"), ["docker.io/library/x:2"]);
    assert.ok(!(await tagsNow()).some((tag) => tag.includes("/x:")));
    assert.deepEqual(await images.remove("docker.io/library/x:2"), []);
  });

  it("a node that lacks loaded images is filled; a second fill has nothing to do", async () => {
    await images.remove(APP);
    assert.ok((await images.fill(layout)).includes(APP));
    assert.deepEqual(await images.fill(layout), []);
    assert.ok((await tagsNow()).includes(APP));
  });

  it("says which containers use an image", async () => {
    await runPod(containerd, ["oci:2"], async () => {
      assert.deepEqual(await images.usersOfLast("docker.io/library/oci:2"), ["default/web: oci"]);
    });
  });
});

const APP = "docker.io/library/app:latest";

/** Runs a pod of the node's own network with these images, looks at its containers, and removes it. */
async function runPod(
  { endpoint, cgroup }: TestContainerd,
  names: readonly string[],
  look: () => Promise<void> = async () => {},
): Promise<readonly number[]> {
  const channel = new GrpcChannel(endpoint);
  const cri = new GrpcCriClient(channel);
  const sandbox = {
    metadata: { name: "web", uid: "u", namespace: "default", attempt: 0 },
    hostname: "",
    logDirectory: "",
    labels: {},
    annotations: {},
    linux: {
      cgroupParent: cgroup,
      securityContext: { namespaceOptions: { network: 2, pid: 1, ipc: 0 } },
    },
  };
  const id = await cri.runSandbox(sandbox as never, "");
  try {
    const states: number[] = [];
    for (const name of names) {
      const container = await cri.createContainer(
        id,
        {
          metadata: { name, attempt: 0 },
          image: { image: name },
          labels: {
            "io.kubernetes.pod.namespace": "default",
            "io.kubernetes.pod.name": "web",
            "io.kubernetes.container.name": name.split(":")[0]!,
          },
          linux: {},
        } as never,
        sandbox as never,
      );
      await cri.startContainer(container);
      states.push((await cri.containerStatus(container)).state);
    }
    await look();
    return states;
  } finally {
    await cri.stopSandbox(id);
    await cri.removeSandbox(id);
    channel.close();
  }
}

function ctr({ endpoint }: TestContainerd, ...args: readonly string[]): void {
  execFileSync("ctr", ["--address", endpoint.slice("unix://".length), "-n", "k8s.io", ...args]);
}
