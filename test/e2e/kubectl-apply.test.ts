import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { shellPod, WAITING } from "../support/sample-apps.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";

const LAST = "kubectl.kubernetes.io/last-applied-configuration";

const map = (name: string, data: object): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
const deployment = (name: string, spec: object, image = "web:1"): string =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      ...spec,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "web", image, ports: [{ containerPort: 80 }] }] },
      },
    },
  });

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1: Record<string, object>;
}

describe("kubectl apply --server-side", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[], stdin = "", version?: string): Promise<string> =>
    cluster.kubectl(line, { stdin, ...(version && { version }) });
  const refused = async (line: string, stdin: string): Promise<string> => {
    const { code, stderr } = await cluster.tryKubectl(line, { stdin });
    assert.equal(code, 1, stderr);
    return stderr;
  };
  const entries = async (object: string): Promise<readonly Entry[]> => {
    const text = await run(`get ${object} -o json --show-managed-fields`);
    return (JSON.parse(text) as { metadata: { managedFields: Entry[] } }).metadata.managedFields;
  };
  const managers = async (object: string): Promise<string[]> =>
    (await entries(object)).map(({ manager, operation }) => `${manager} ${operation}`);

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster?.close());

  it("creates, changes, and leaves alone what is the same", async () => {
    const line = "apply --server-side -f -";
    const applied = "configmap/one serverside-applied\n";
    assert.equal(await run(line, map("one", { k: "1" })), applied);
    const version = "get configmap one -o jsonpath={.metadata.resourceVersion}";
    const before = await run(version);
    assert.equal(await run(line, map("one", { k: "1" })), applied);
    assert.equal(await run(version), before);
    assert.equal(await run(line, map("one", { l: "2" })), applied);
    assert.equal(await run("get configmap one -o jsonpath={.data}"), '{"l":"2"}');
    assert.deepEqual(await managers("configmap/one"), ["kubectl Apply"]);
  });

  it("what the node says of its Pods and itself is the kubelet's", async () => {
    await run("apply -f -", JSON.stringify(shellPod("told", WAITING)));
    await run("wait --for=condition=Ready pod/told --timeout=40s");
    assert.ok((await managers("pod/told")).includes("kubelet Update"));
    const nodes = (await run("get nodes -o name")).trim();
    const told = await entries(nodes);
    assert.ok(
      told.some(({ manager, subresource }) => `${manager} ${subresource}` === "kubelet status"),
    );
    assert.ok(!told.some(({ manager }) => manager.startsWith("skiff")), JSON.stringify(told));
  });

  it("get hides managers unless it is told to show them", async () => {
    await run("apply --server-side -f -", map("hidden", { k: "1" }));
    assert.doesNotMatch(await run("get configmap hidden -o yaml"), /managedFields/);
    assert.match(
      await run("get configmap hidden -o yaml --show-managed-fields"),
      /managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1\n {4}fieldsV1:\n {6}f:data:\n {8}f:k: \{\}\n/,
    );
  });

  it("says who owns what it would change, and takes it with --force-conflicts", async () => {
    await run(
      "apply --server-side --field-manager=first -f -",
      deployment("fight", { replicas: 0 }),
    );
    await run("scale deployment fight --replicas=1");
    const line = "apply --server-side --field-manager=second -f -";
    const wanted = deployment("fight", { replicas: 2 }, "web:2");
    const told = await refused(line, wanted);
    assert.match(told, /^error: Apply failed with 2 conflicts: conflicts with "first":\n/);
    assert.match(told, /\n- \.spec\.template\.spec\.containers\[name="web"\]\.image\n/);
    assert.match(
      told,
      /\nconflicts with "kubectl" with subresource "scale" using apps\/v1:\n- \.spec\.replicas\n/,
    );
    assert.match(told, /Please review the fields above--they currently have other managers/);
    assert.equal(
      await run(`apply --server-side --force-conflicts --field-manager=second -f -`, wanted),
      "deployment.apps/fight serverside-applied\n",
    );
    assert.equal(await run("get deployment fight -o jsonpath={.spec.replicas}"), "2");
    const scaled = (await entries("deployment/fight")).filter((e) => e.subresource === "scale");
    assert.deepEqual(scaled, []);
    await run("delete deployment fight --cascade=background");
  });

  it("a dry run on the server shows what would be", async () => {
    const line = "apply --server-side --dry-run=server -f -";
    assert.equal(
      await run(line, map("dry", {})),
      "configmap/dry serverside-applied (server dry run)\n",
    );
    assert.match(await refused("get configmap dry", ""), /NotFound/);
  });

  for (const version of [undefined, "1.27", "1.30"])
    it(`takes over from client-side apply (kubectl ${version ?? "of the machine"})`, async () => {
      const name = `moved${version?.replace(".", "") ?? ""}`;
      await run("apply -f -", map(name, { k: "1", l: "1" }), version);
      assert.deepEqual(await managers(`configmap/${name}`), ["kubectl-client-side-apply Update"]);
      await run("apply --server-side -f -", map(name, { k: "2" }), version);
      assert.equal(await run(`get configmap ${name} -o jsonpath={.data}`), '{"k":"2"}');
      // kubectl keeps the annotation for client-side apply under a name of its own.
      const both = ["kubectl Apply", "kubectl-last-applied Apply"];
      // In the order of their times, which are whole seconds.
      assert.deepEqual([...(await managers(`configmap/${name}`))].sort(), both);
      const annotations = await run(`get configmap ${name} -o jsonpath={.metadata.annotations}`);
      assert.match(annotations, /last-applied-configuration/);
      assert.match(annotations, /\\"k\\":\\"2\\"/);
      assert.equal(
        await run("apply -f -", map(name, { k: "3" }), version),
        `configmap/${name} configured\n`,
      );
    });

  it("KC-15 apply edit-last-applied edits what was applied", async () => {
    await run("apply -f -", map("edited", { k: "1" }));
    const editor = join(cluster.home, "editor.sh");
    writeFileSync(editor, `#!/bin/sh\nsed -i 's/k: "1"/k: "7"/' "$1"\n`);
    chmodSync(editor, 0o755);
    const { code, stderr } = await cluster.tryKubectl("apply edit-last-applied configmap/edited", {
      env: { KUBE_EDITOR: editor },
    });
    assert.equal(code, 0, stderr);
    const path = `jsonpath={.metadata.annotations.${LAST.replaceAll(".", "\\.")}}`;
    const last = await run(["get", "configmap", "edited", "-o", path]);
    assert.match(last, /"k":"7"/);
    assert.equal(await run("get configmap edited -o jsonpath={.data.k}"), "1");
  });

  it("a field that the type does not have is refused by its path", async () => {
    const wrong = JSON.stringify({ ...JSON.parse(map("wrong", {})), spek: 1 });
    assert.match(
      await refused("apply --server-side --validate=false -f -", wrong),
      /failed to create typed patch object \(default\/wrong; \/v1, Kind=ConfigMap\): \.spek: field not declared in schema/,
    );
  });
});
