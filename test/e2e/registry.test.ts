import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, until, type TestCluster } from "../support/cluster.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

/** A pod of one container that does nothing, from `image`. */
const sleeper = (name: string, image: string, imagePullPolicy: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "c", image, imagePullPolicy, command: ["sleep", "1000"] }],
  },
});

describe("images from a registry", () => {
  let cluster: TestCluster;
  let registry: TestRegistry;

  before(async () => {
    cluster = await startCluster(["busybox"]);
    const machine = (await cluster.nodeIp()).replace(/\.\d+$/, ".1");
    registry = await startRegistry(machine, cluster.home);
    const state = join(cluster.home, cluster.name);
    const folder = join(state, "registries", registry.host);
    mkdirSync(folder, { recursive: true });
    const url = `http://${registry.host}`;
    const mirror = `server = "${url}"\n[host."${url}"]\ncapabilities = ["pull", "resolve"]\n`;
    writeFileSync(join(folder, "hosts.toml"), mirror);
    await registry.push(join(state, "images"), "library/pulled", "v1");
  });
  after(async () => {
    registry?.close();
    await cluster?.close();
  });

  it("the kubelet pulls what a node lacks, and says so in events", async () => {
    const image = `${registry.host}/library/pulled:v1`;
    await cluster.apply([sleeper("pulled", image, "Always")]);
    await cluster.kubectl("wait --for=condition=Ready pod/pulled --timeout=30s");
    // Events are written behind the Pod's status.
    const described = await until("the Pod's events", async () => {
      const text = await cluster.kubectl("describe pod pulled");
      return /Normal +Started /.test(text) && text;
    });
    assert.match(described, new RegExp(`Normal +Pulling .* Pulling image "${image}"`));
    assert.match(
      described,
      /Normal +Pulled .* Successfully pulled image ".*" in .*Image size: \d+ bytes/,
    );
  });

  it("skiff image pull brings an image into every node, so that a pod needs no registry", async () => {
    const image = `${registry.host}/library/pulled:v1`;
    const { code, stderr } = await cluster.skiff("image", "pull", image);
    assert.equal(code, 0, stderr);
    assert.match((await cluster.skiff("image", "ls")).stdout, /library\/pulled +v1/);
    await cluster.apply([sleeper("present", image, "Never")]);
    await cluster.kubectl("wait --for=condition=Ready pod/present --timeout=30s");
  });

  it("a tag that the registry does not have is ErrImagePull, then ImagePullBackOff", async () => {
    await cluster.apply([sleeper("missing", `${registry.host}/library/pulled:v9`, "IfNotPresent")]);
    const reason = async (): Promise<string> =>
      await cluster.kubectl(
        "get pod missing -o jsonpath={.status.containerStatuses[0].state.waiting.reason}",
      );
    const seen = new Set<string>();
    await until("both reasons", async () => seen.add(await reason()).has("ImagePullBackOff"));
    assert.ok(
      [...seen].every((one) => /^(|ContainerCreating|ErrImagePull|ImagePullBackOff)$/.test(one)),
    );
    assert.match(await cluster.kubectl("describe pod missing"), /Warning +Failed .* not found/);
  });
});
