// What nobody may see: marked secrets go everywhere that a cluster takes them, at the highest verbosity, and are then looked for; modes
// of all files; what listens, and what it says to strangers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { request } from "node:https";
import { join, relative, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { findClusterProcesses } from "../../src/host/cluster-processes.ts";
import { StateFolder } from "../../src/host/state-folder.ts";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { shellPod, WAITING } from "../support/sample-apps.ts";
import { testImageArchive } from "../../tools/make-test-images.mjs";

const REGISTRY_PORT = 5002;
const KUBELET_PORT = 10_250;

/** A text that nothing else contains. */
const mark = (): string => `canary${randomBytes(9).toString("hex")}`;

describe("a cluster that logs all it can", () => {
  let cluster: TestCluster;
  let state: StateFolder;
  let node: string;
  /** What must not be seen, by what it is. */
  const canaries = new Map<string, string>();
  /** What the commands of this test were told. */
  let told = "";

  const canary = (what: string): string => {
    const text = mark();
    canaries.set(what, text);
    return text;
  };
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  /** Goes wrong, or not: what it says is kept. */
  const tell = async (line: string | readonly string[], stdin?: object): Promise<string> => {
    const options = stdin ? { stdin: JSON.stringify(stdin) } : {};
    const { stdout, stderr } = await cluster.tryKubectl(line, options);
    told += stdout + stderr;
    return stdout + stderr;
  };
  const secret = (name: string, fields: object): object => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    ...fields,
  });
  const fromSecret = (name: string, key: string): object => ({
    name: "VALUE",
    valueFrom: { secretKeyRef: { name, key } },
  });

  before(async () => {
    cluster = await startCluster(["busybox"], "--log-level", "debug");
    state = new StateFolder(cluster.home, cluster.name);
    node = `${cluster.name}-1`;
  });
  // Ends what runs on the node, the registry among it.
  after(() => cluster?.close());

  it("takes secrets by all ways, right and wrong", async () => {
    const password = canary("the password of a registry");
    const login = ["--docker-username=puller", `--docker-password=${password}`];
    const script = [process.execPath, resolve("tools/test-registry.mjs")];
    const served = [testImageArchive("busybox"), String(REGISTRY_PORT), `puller:${password}-other`];
    const registry = cluster.startSkiff(["ssh", node, "--", ...script, ...served]);
    await until("the registry listens", () => registry.output().includes("listening"));
    const host = `localhost:${REGISTRY_PORT}`;
    await tell([
      "create",
      "secret",
      "docker-registry",
      "login",
      `--docker-server=${host}`,
      ...login,
    ]);
    const value = canary("a value of a Secret");
    await tell(["create", "secret", "generic", "right", `--from-literal=key=${value}`]);
    // Refused for what they are; what they say must not have what they hold.
    const bad = canary("a value that is no base64");
    await tell("create -f -", secret("bad", { data: { key: `${bad}!` } }));
    await tell(
      "create -f -",
      secret("bad", { data: { key: { deep: canary("a value of a wrong type") } } }),
    );
    await tell("create -f -", secret("bad", { stringData: { key: [canary("a list")] } }));
    await tell(
      "create -f -",
      secret("bad", {
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": canary("a certificate") },
      }),
    );
    await tell(
      "create -f -",
      secret("bad", {
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": `{${canary("no JSON")}` },
      }),
    );
    await tell(
      "create -f -",
      secret("bad", { stringData: { "no key": canary("the value of a key that is none") } }),
    );
    await tell(
      "create -f -",
      secret("bad", { stringData: { key: canary("too much").repeat(50_000) } }),
    );
    await tell(
      "create -f -",
      secret("fixed", { immutable: true, stringData: { key: canary("a fixed value") } }),
    );
    await tell(
      "apply -f -",
      secret("fixed", { immutable: true, stringData: { key: canary("another fixed value") } }),
    );
    const test = [{ op: "test", path: "/data/key", value: canary("a value that a patch tests") }];
    await tell(["patch", "secret", "right", "--type=json", "-p", JSON.stringify(test)]);
    const wrong = { data: { key: { a: canary("a patch") } } };
    await tell(["patch", "secret", "right", "--type=merge", "-p", JSON.stringify(wrong)]);
    await tell(
      ["apply", "--server-side", "-f", "-"],
      secret("right", { stringData: { key: canary("an apply that conflicts") } }),
    );
    assert.match(told, /illegal base64|invalid|Invalid/, told);
  });

  it("takes tokens, those that hold and those that do not", async () => {
    await run("create serviceaccount robot");
    const token = (await run("create token robot")).trim();
    canaries.set("a token", token);
    canaries.set("the signature of a token", token.split(".")[2]!);
    const joining = (await cluster.skiff("token", "create")).stdout.trim();
    canaries.set("the secret of a join token", joining.split(".")[1]!);
    await tell("create -f -", {
      ...secret("kept", { type: "kubernetes.io/service-account-token" }),
      metadata: { name: "kept", annotations: { "kubernetes.io/service-account.name": "robot" } },
    });
    const kept = await until("the token is made", () =>
      run("get secret kept -o jsonpath={.data.token}"),
    );
    canaries.set("a token that stays", Buffer.from(kept, "base64").toString());
    for (const text of [token, canary("a token that is none"), `${token}x`, joining]) {
      const { host, port, ca } = await endpoint();
      for (const path of ["/api/v1/pods", `/api/v1/pods?token=${canary("a token in a query")}`])
        told += await stranger(host, port, path, { authorization: `Bearer ${text}` }, ca);
      told += await stranger(await cluster.nodeIp(), KUBELET_PORT, "/pods", {
        authorization: `Bearer ${text}`,
      });
    }
  });

  it("gives them to Pods that fail in every way", async () => {
    const volume = { name: "v", secret: { secretName: "right" } };
    const mount = { name: "v", mountPath: "/v" };
    const [missing, subPath] = [
      { ...volume, secret: { secretName: "right", items: [{ key: "none", path: "x" }] } },
      { ...mount, mountPath: "/file", subPath: "key" },
    ];
    const manifests = [
      shellPod("fine", WAITING, {
        spec: { volumes: [volume] },
        container: { env: [fromSecret("right", "key")], volumeMounts: [mount, subPath] },
      }),
      shellPod("crashes", 'test -n "$VALUE" && exit 3', {
        container: { env: [fromSecret("right", "key")] },
      }),
      shellPod("lacks-key", WAITING, { container: { env: [fromSecret("right", "none")] } }),
      shellPod("lacks-item", WAITING, {
        spec: { volumes: [missing] },
        container: { volumeMounts: [mount] },
      }),
      shellPod("no-program", "", {
        container: {
          env: [fromSecret("right", "key")],
          command: ["/none"],
          envFrom: [{ secretRef: { name: "login" } }],
        },
      }),
      shellPod("probed", WAITING, {
        container: {
          env: [fromSecret("right", "key")],
          livenessProbe: {
            httpGet: { port: 1, path: "/" },
            periodSeconds: 1,
            failureThreshold: 1,
          },
          readinessProbe: {
            exec: { command: ["sh", "-c", 'test "$VALUE" = other'] },
            periodSeconds: 1,
          },
        },
      }),
      shellPod("unpulled", "", {
        spec: { imagePullSecrets: [{ name: "login" }] },
        container: { image: `localhost:${REGISTRY_PORT}/tool:1.29`, imagePullPolicy: "Always" },
      }),
    ];
    told += await cluster.apply(manifests);
    await run("wait --for=condition=Ready pod/fine --timeout=40s");
    told += await run("exec fine -- ls -lR /v");
    await tell("exec fine -- none");
    await tell("logs fine -c none");
    await tell("cp fine:/none /tmp/none");
    await until(
      "all of it went wrong",
      async () => {
        const events = await run(
          "get events -o jsonpath={range.items[*]}{.involvedObject.name}={.reason},{end}",
        );
        return [
          "crashes=BackOff",
          "lacks-key=Failed",
          "lacks-item=FailedMount",
          "no-program=Failed",
          "probed=Unhealthy",
          "unpulled=Failed",
        ].every((one) => events.includes(one));
      },
      60_000,
    );
  });

  it("survives a crash of each of its processes with them", async () => {
    const { roles } = findClusterProcesses(state.path);
    for (const pid of roles) process.kill(pid, "SIGKILL");
    await until(
      "the server is back",
      async () => (await cluster.tryKubectl("get secrets")).code === 0,
      40_000,
    );
    await run("wait --for=condition=Ready pod/fine --timeout=40s");
  });

  it("tells none of them: no log, file, event, status, metric, process or answer has one", async () => {
    for (const name of ["right", "login", "fixed"]) told += await run(`describe secret ${name}`);
    told += await run("describe pods");
    told += await run("get events -A -o json");
    told += await run("get pods -A -o jsonpath={.items[*].status}");
    told += await run("get nodes -o json");
    told += await run("get --raw /metrics");
    for (const path of ["metrics", "metrics/cadvisor", "pods", "stats/summary"])
      told += await run(`get --raw /api/v1/nodes/${node}/proxy/${path}`);
    const { roles, supervisors } = findClusterProcesses(state.path);
    const places = new Map<string, string>([["what commands were told", told]]);
    for (const pid of [...roles, ...supervisors])
      for (const file of ["cmdline", "environ"])
        places.set(`${file} of ${pid}`, readFileSync(`/proc/${pid}/${file}`, "latin1"));
    for (const file of filesBelow(state.path)) {
      const path = relative(state.path, file);
      // Certificates and keys are what they are; the runtime must know what its containers are told.
      if (/^(pki|keys|nodes\/[^/]+\/(ns|root\/containerd))\//.test(path)) continue;
      places.set(path, readFileSync(file, "latin1"));
    }
    const logs = [...places.keys()].filter((name) => name.startsWith("log/"));
    for (const role of ["server", `agent-${node}`, `containerd-${node}`, "supervise"])
      assert.ok(logs.includes(`log/${role}.log`), `${role}: ${logs.join(" ")}`);
    assert.match(places.get(`log/agent-${node}.log`)!, / info ready /);
    for (const [what, text] of canaries)
      for (const form of [
        text,
        Buffer.from(text).toString("base64").replace(/=+$/, "").slice(0, -1),
      ])
        for (const [place, content] of places) {
          const at = content.indexOf(form);
          const around = content.slice(Math.max(0, at - 200), at + 20);
          assert.ok(at < 0, `${place} has ${what}: ${around}`);
        }
  });

  it("keeps its files for their owner alone", () => {
    const open: string[] = [];
    // Of the kernel; of the node, whose Pods read it; the Pods' and the runtime's, with modes of their own.
    const exempt = /^[^/]+\/nodes\/[^/]+\/(ns|resolv\.conf|root)$/;
    const walk = (path: string): void => {
      if (exempt.test(relative(cluster.home, path))) return;
      const stat = lstatSync(path);
      const name = relative(cluster.home, path);
      if ((stat.mode & 0o077) !== 0 && !stat.isSymbolicLink())
        open.push(`${name} ${(stat.mode & 0o777).toString(8)}`);
      if (stat.isDirectory()) for (const child of readdirSync(path)) walk(join(path, child));
    };
    walk(state.path);
    walk(cluster.kubeconfig);
    walk(state.socketFolder);
    assert.deepEqual(open, []);
  });

  it("listens where it must, and tells strangers no more than its health and version", async () => {
    const { host, port, ca } = await endpoint();
    const open: string[] = [];
    const paths = [
      "/",
      "/api",
      "/apis",
      "/api/v1/secrets",
      "/metrics",
      "/openapi/v2",
      "/logs",
      "/configz",
      "/debug/pprof/",
      "/debug/flags/v",
      "/debug/api_priority_and_fairness/dump_requests",
      "/.well-known/openid-configuration",
      "/statusz",
      "/flagz",
      "/healthz",
      "/livez",
      "/readyz",
      "/version",
    ];
    for (const path of paths)
      if ((await stranger(host, port, path, {}, ca)).startsWith("200")) open.push(path);
    assert.deepEqual(open, ["/healthz", "/livez", "/readyz", "/version"]);
    const kubelet = await cluster.nodeIp();
    for (const path of [
      "/",
      "/healthz",
      "/pods",
      "/metrics",
      "/metrics/cadvisor",
      "/stats/summary",
      "/configz",
      "/logs/",
      "/debug/pprof/",
      "/containerLogs/default/fine/main",
      "/run/default/fine/main?cmd=id",
      "/exec/default/fine/main?command=id",
      "/runningpods/",
    ])
      assert.match(await stranger(kubelet, KUBELET_PORT, path), /^401 /, path);
    const inside = (
      await cluster.skiff("ssh", node, "--", "cat", "/proc/net/tcp", "/proc/net/tcp6")
    ).stdout;
    const dns = await run("get service -n kube-system kube-dns -o jsonpath={.spec.clusterIP}");
    assert.deepEqual(
      listeners(inside).filter((one) => !one.startsWith("127.0.0.1:")),
      [`${dns}:53`, `${kubelet}:${KUBELET_PORT}`].sort(),
    );
    const { roles } = findClusterProcesses(state.path);
    const sockets = new Set(
      roles.flatMap((pid) =>
        readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
      ),
    );
    const outside = ["tcp", "tcp6"]
      .map((file) => readFileSync(`/proc/net/${file}`, "utf8"))
      .join("");
    const bridge = kubelet.replace(/\d+$/, "1");
    assert.deepEqual(
      listeners(outside, sockets),
      [`127.0.0.1:${port}`, `${bridge}:${port}`].sort(),
    );
  });

  async function endpoint(): Promise<{ host: string; port: number; ca: Buffer }> {
    const url = new URL(
      (await run("config view --minify -o jsonpath={.clusters[0].cluster.server}")).trim(),
    );
    return {
      host: url.hostname,
      port: Number(url.port),
      ca: readFileSync(join(state.pki, "ca.crt")),
    };
  }
});

/** A request without a certificate. @returns status and body */
function stranger(
  host: string,
  port: number,
  path: string,
  headers: Record<string, string> = {},
  ca?: Buffer,
): Promise<string> {
  return new Promise((settle, reject) => {
    const options = {
      host,
      port,
      path,
      headers,
      agent: false,
      ...(ca ? { ca } : { rejectUnauthorized: false }),
    };
    const asking = request(options, (answer) => {
      let text = `${answer.statusCode} ${JSON.stringify(answer.headers)} `;
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => settle(text));
    });
    asking.on("error", reject);
    asking.end();
  });
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Addresses of listening sockets in `/proc/net/tcp`'s form; `among`: only of these, as links of descriptors. */
function listeners(table: string, among?: ReadonlySet<string>): readonly string[] {
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, , , status, , , , , , inode]) =>
        status === "0A" && (!among || among.has(`socket:[${inode}]`)),
    )
    .map(([, local = ""]) => {
      const [hex = "", port = ""] = local.split(":");
      const bytes = hex.slice(-8).match(/../g) ?? [];
      return `${bytes
        .reverse()
        .map((byte) => parseInt(byte, 16))
        .join(".")}:${parseInt(port, 16)}`;
    })
    .sort();
}
