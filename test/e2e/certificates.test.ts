// What a cluster's administrator hands out: certificates that are asked for, approved and signed; priorities; runtimes.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, until, type TestCluster } from "../support/cluster.ts";
import { shellPod, WAITING } from "../support/sample-apps.ts";
import { signingRequest } from "../support/signing-request.ts";

const CLIENT = "kubernetes.io/kube-apiserver-client";

function requestOf(name: string, request: string, spec: object = {}, version = "v1"): object {
  return {
    apiVersion: `certificates.k8s.io/${version}`,
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: CLIENT,
      usages: ["client auth"],
      ...spec,
    },
  };
}

describe("certificates, priorities and runtimes", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const field = (line: string, path: string): Promise<string> =>
    run([...`get ${line} -o`.split(" "), `jsonpath={${path}}`]);
  const certificateOf = async (name: string): Promise<string> => {
    const issued = await until(`${name} is issued`, () =>
      field(`csr ${name}`, ".status.certificate"),
    );
    return Buffer.from(issued, "base64").toString();
  };

  before(async () => {
    cluster = await startCluster(["busybox"]);
  });
  after(() => cluster?.close());

  it("a user asks for a certificate, is approved, and is who it says", async () => {
    const { key, request } = signingRequest("/O=builders/CN=jane");
    await cluster.apply([requestOf("jane", request, { expirationSeconds: 3600 })]);
    assert.match(
      await run("get csr jane --no-headers"),
      /^jane +\d+s +kubernetes\.io\/kube-apiserver-client +\S+ +60m +Pending\n/,
    );
    assert.match(await run("certificate approve jane"), /approved/);
    const certificate = await certificateOf("jane");
    assert.match(await run("get csr jane --no-headers"), / Approved,Issued\n/);
    const files = { key: join(cluster.home, "jane.key"), crt: join(cluster.home, "jane.crt") };
    writeFileSync(files.key, key);
    writeFileSync(files.crt, certificate);
    await run("create clusterrolebinding builders --clusterrole=view --group=builders");
    const kubeconfig = join(cluster.home, "jane.kubeconfig");
    const config = await run("config view --raw --minify -o json");
    const { clusters, contexts } = JSON.parse(config) as {
      clusters: readonly object[];
      contexts: readonly { context: { cluster: string } }[];
    };
    const user = {
      name: "jane",
      user: { "client-key": files.key, "client-certificate": files.crt },
    };
    const context = { cluster: contexts[0]!.context.cluster, user: "jane" };
    const own = {
      ...{ apiVersion: "v1", kind: "Config", "current-context": "jane", clusters },
      ...{ users: [user], contexts: [{ name: "jane", context }] },
    };
    writeFileSync(kubeconfig, JSON.stringify(own));
    const asJane = (line: string) => cluster.tryKubectl(`--kubeconfig=${kubeconfig} ${line}`);
    const who = await asJane("auth whoami");
    assert.match(who.stdout, /Username +jane\n.*builders/s);
    assert.equal((await asJane("get pods")).code, 0);
    assert.match((await asJane("get secrets")).stderr, /Forbidden/);
    // Who may look may not approve.
    await cluster.apply([requestOf("other", request)]);
    const approval = await asJane("certificate approve other");
    assert.match(approval.stderr, /cannot get resource "certificatesigningrequests"/);
  });

  it("one that is denied is never signed", async () => {
    await cluster.apply([requestOf("no", signingRequest("/CN=bob").request)]);
    await run("certificate deny no");
    assert.match(await run("get csr no --no-headers"), / Denied\n/);
    assert.equal(await field("csr no", ".status.certificate"), "");
  });

  it("one that cannot be signed says why", async () => {
    const { request } = signingRequest("/CN=web", ["DNS:web"]);
    await cluster.apply([
      requestOf("wrong", request, { signerName: "kubernetes.io/kubelet-serving" }),
    ]);
    await run("certificate approve wrong");
    const why = await until("it failed", () =>
      field("csr wrong", '.status.conditions[?(@.type=="Failed")].message'),
    );
    assert.equal(why, "subject organization is not system:nodes");
  });

  it("what is no request, or asks for the masters, is refused", async () => {
    const apply = (object: object) =>
      cluster.tryKubectl("create -f -", { stdin: JSON.stringify(object) });
    const none = await apply(requestOf("none", "hello"));
    assert.match(none.stderr, /spec\.request: Invalid value: .*PEM block type must be CERTIFICATE/);
    const { request } = signingRequest("/O=system:masters/CN=root");
    const masters = await apply(requestOf("masters", request));
    assert.match(masters.stderr, /signer with system:masters group is not allowed/);
  });

  it("a manifest of v1beta1 that names no signer is signed all the same", async () => {
    const { request } = signingRequest("/CN=my-svc", ["DNS:my-svc.default.svc"]);
    const usages = ["digital signature", "key encipherment", "server auth"];
    const manifest = requestOf("old", request, { signerName: undefined, usages }, "v1beta1");
    await cluster.apply([manifest]);
    assert.equal(await field("csr old", ".spec.signerName"), "kubernetes.io/legacy-unknown");
    await run("certificate approve old");
    assert.match(await certificateOf("old"), /BEGIN CERTIFICATE/);
  });

  it("a node's own certificate is approved by itself", async () => {
    const name = `system:node:${cluster.name}-1`;
    const { request } = signingRequest(`/O=system:nodes/CN=${name}`);
    const signerName = "kubernetes.io/kube-apiserver-client-kubelet";
    const usages = ["digital signature", "client auth"];
    const manifest = requestOf("renewed", request, { signerName, usages });
    await run("create clusterrole askers --verb=create --resource=certificatesigningrequests");
    await run("create clusterrolebinding askers --clusterrole=askers --group=system:nodes");
    await cluster.kubectl(`create -f - --as=${name} --as-group=system:nodes`, {
      stdin: JSON.stringify(manifest),
    });
    assert.match(await certificateOf("renewed"), /BEGIN CERTIFICATE/);
    const reason = await field("csr renewed", ".status.conditions[0].reason");
    assert.equal(reason, "AutoApproved");
  });

  it("priority classes: the system's are there and stay, a default is taken by Pods without one", async () => {
    assert.match(
      await run("get pc"),
      /^NAME +VALUE +GLOBAL-DEFAULT +AGE +PREEMPTIONPOLICY\nsystem-cluster-critical +2000000000 +false .*\nsystem-node-critical +2000001000 +false /,
    );
    const removed = await cluster.tryKubectl("delete pc system-node-critical");
    assert.match(removed.stderr, /this is a system priority class and cannot be deleted/);
    await cluster.apply([
      {
        apiVersion: "scheduling.k8s.io/v1beta1",
        kind: "PriorityClass",
        metadata: { name: "usual" },
        value: 42,
        globalDefault: true,
      },
    ]);
    await cluster.apply([shellPod("ranked", WAITING)]);
    assert.equal(await field("pod ranked", ".spec.priority"), "42");
    assert.equal(await field("pod ranked", ".spec.priorityClassName"), "usual");
    await run("delete pc usual");
  });

  it("a runtime class gives its Pods overhead, and its name to the runtime of the node", async () => {
    const runtimeClass = (name: string, handler: string) => ({
      apiVersion: "node.k8s.io/v1",
      kind: "RuntimeClass",
      metadata: { name },
      handler,
      overhead: { podFixed: { cpu: "10m" } },
    });
    const running = (name: string) => shellPod(name, WAITING, { spec: { runtimeClassName: name } });
    await cluster.apply([runtimeClass("usual", "runc"), runtimeClass("strange", "vessel")]);
    await cluster.apply([running("usual"), running("strange")]);
    assert.equal(await field("pod usual", ".spec.overhead.cpu"), "10m");
    await run("wait pod/usual --for=condition=Ready --timeout=30s");
    await until("the runtime knows no vessel", async () =>
      /no runtime for "vessel" is configured/.test(
        await run("get events --field-selector involvedObject.name=strange"),
      ),
    );
  });
});
