// What a kubelet does by itself as time goes by: the wall clock is set ahead, everything else is real.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { before, it } from "node:test";
import { Pod } from "../../src/api/core/pod.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { GrpcCriClient } from "../../src/wire/cri/grpc-cri-client.ts";
import { GrpcChannel } from "../../src/wire/grpc/channel.ts";
import { imageArchive } from "../support/image-archive.ts";
import { JumpingClock } from "../support/jumping-clock.ts";
import { describeKubelet } from "../support/kubelet-suite.ts";
import { isTrue, type KubeletWorld } from "../support/kubelet-world.ts";
import {
  busybox,
  TEST_IMAGE,
  waitFor,
  type PrivateContainerd,
} from "../support/private-containerd.ts";

const MINUTE_MS = 60_000;
const REGISTRY_PORT = 5000;
const REGISTRY = `127.0.0.1:${REGISTRY_PORT}`;

const clock = new JumpingClock();
/** Any disk is fuller than nothing: every image that is not in use goes, once it is old enough. */
const IMAGE_LIMITS = { highPart: 0, lowPart: 0, ageMsMin: 2 * MINUTE_MS };

describeKubelet("a kubelet renews and removes as time goes by", import.meta.url, suite, {
  limits: { imageLimits: IMAGE_LIMITS },
  clock,
});

function suite(world: KubeletWorld, containerd: PrivateContainerd): void {
  before(async () => {
    await world.client.create(ServiceAccount, {
      metadata: { name: "default", namespace: "default" },
    });
  });

  it("renews a projected token at 80 % of its life, in the container that runs", async () => {
    const token = { serviceAccountToken: { path: "token", expirationSeconds: 600 } };
    await world.run(
      "caller",
      {
        command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"],
        volumeMounts: [{ name: "token", mountPath: "/token" }],
      },
      {
        serviceAccountName: "default",
        volumes: [{ name: "token", projected: { sources: [token] } }],
      },
    );
    await world.until("caller", (pod) => isTrue(pod, "Ready"));
    const read = async (): Promise<string> =>
      (await world.ask("/run/default/caller/app?cmd=cat%20/token/token", "POST")).body;
    const first = await read();
    assert.equal(first.split(".").length, 3);
    clock.jump(7 * MINUTE_MS);
    world.kubelet.pods.nodeChanged();
    await world.ask("/healthz");
    assert.equal(await read(), first);
    clock.jump(MINUTE_MS);
    world.kubelet.pods.nodeChanged();
    await waitFor(async () => (await read()) !== first);
    const claims = (text: string): { iat: number; exp: number } =>
      JSON.parse(Buffer.from(text.split(".")[1]!, "base64url").toString()) as never;
    const [before, now] = [claims(first), claims(await read())];
    assert.ok(now.iat - before.iat >= 480, `${now.iat - before.iat} s later`);
    assert.equal(now.exp - now.iat, 600);
  });

  it("removes an image that nobody uses once it is old enough, and none that is in use", async () => {
    const names = ["idle", "busy"].map((name) => `${REGISTRY}/${name}:1`);
    const registries: ChildProcess[] = [];
    const cri = new GrpcCriClient(new GrpcChannel(containerd.endpoint));
    const present = async (): Promise<readonly string[]> => {
      const images = await cri.listImages();
      return names.filter((name) => images.some(({ repoTags }) => repoTags.includes(name)));
    };
    try {
      for (const [index, name] of names.entries()) {
        // Another file makes another image of the same program.
        const archive = imageArchive(containerd.folder, {
          tag: name.split("/")[1]!,
          program: busybox(containerd.folder),
          path: `bin/busybox${index}`,
        });
        const registry = spawn(
          process.execPath,
          ["tools/test-registry.mjs", archive, String(REGISTRY_PORT)],
          { stdio: ["ignore", "pipe", "inherit"] },
        );
        registries.push(registry);
        await once(registry.stdout, "data");
        await cri.pullImage(name);
        registry.kill();
        await once(registry, "exit");
      }
      await world.run("busy", { image: names[1]!, command: ["/bin/busybox1", "sleep", "1000"] });
      await world.until("busy", (pod) => isTrue(pod, "Ready"));
      clock.jump(5 * MINUTE_MS);
      await world.kubelet.tidy();
      assert.deepEqual(await present(), names, "seen for the first time");
      clock.jump(5 * MINUTE_MS);
      await world.kubelet.tidy();
      assert.deepEqual(await present(), [names[1]]);
      assert.ok(await cri.imageStatus(TEST_IMAGE), "an image of an archive could not come back");
      await world.client.delete(Pod, { namespace: "default", name: "busy" }, { graceSeconds: 0 });
      await waitFor(() => !world.kubelet.pods.find("default", "busy"));
      clock.jump(5 * MINUTE_MS);
      await world.kubelet.tidy();
      assert.deepEqual(await present(), []);
    } finally {
      for (const registry of registries) registry.kill();
      cri.close();
    }
  });
}
