import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { findClusterProcesses } from "../../src/host/cluster-processes.ts";
import { newCluster, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const replicaSet = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name: "rs-web" },
  spec: {
    replicas: 4,
    selector: { matchExpressions: [{ key: "app", operator: "In", values: ["rs-web", "other"] }] },
    template: {
      metadata: { labels: { app: "rs-web" }, annotations: { note: "of the template" } },
      spec: { containers: [{ name: "web", image: "nginx:1.14" }] },
    },
  },
};

describe("a local cluster of two nodes, from its start over a stop to its end", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const refused = async (manifest: object): Promise<string> => {
    const stdin = JSON.stringify(manifest);
    const { code, stderr } = await cluster.tryKubectl("create -f -", { stdin });
    assert.equal(code, 1, stderr);
    return stderr;
  };
  const endpointsOf = async (name: string): Promise<string[]> =>
    (await run(`get endpoints ${name} -o jsonpath={.subsets[*].addresses[*].ip}`))
      .split(" ")
      .filter((ip) => ip !== "");

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
    await cluster.apply([replicaSet]);
    await cluster.apply([
      nginxDeployment("blue"),
      nginxDeployment("green", { image: "nginx:1.25" }),
      serviceOf("blue", { type: "NodePort", ports: [{ port: 80, nodePort: 30_200 }] }, "front"),
      serviceOf(
        "rs-web",
        {
          ports: [
            { name: "http", port: 3000, targetPort: 80 },
            { name: "tls", port: 443 },
          ],
        },
        "ported",
      ),
      serviceOf("x", { selector: { app: "rs-web", tier: "none" } }, "unmatched"),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "by-hand" },
        spec: { ports: [{ port: 80 }] },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "alias" },
        spec: { type: "ExternalName", externalName: "db.example.com" },
      },
      shellPod("client", WAITING),
    ]);
    await run("wait --for=condition=Ready pod --all --timeout=40s");
  });
  after(() => cluster?.close());

  it("CL-01 start makes all nodes Ready and points kubectl at the cluster", async () => {
    assert.equal(await run("config current-context"), `${cluster.name}\n`);
    assert.match(
      await run("get nodes --no-headers"),
      /^e2e-\d+-1 +Ready [^\n]*\ne2e-\d+-2 +Ready [^\n]*\n$/,
    );
    assert.equal((await cluster.skiff("status")).code, 0);
    assert.match((await cluster.skiff("list")).stdout, new RegExp(cluster.name));
  });

  it("CL-43 CL-44 contexts are listed, the active one has an asterisk, and can be chosen", async () => {
    const table = await run("config get-contexts");
    assert.match(table, /^CURRENT +NAME +CLUSTER/);
    assert.match(table, new RegExp(`^\\* +${cluster.name} `, "m"));
    await run("config set-context elsewhere --cluster=none");
    await run("config use-context elsewhere");
    assert.equal(await run("config current-context"), "elsewhere\n");
    assert.match(await run(`config use-context ${cluster.name}`), /Switched to context/);
  });

  it("AR-03 there may be many nodes: no number is fixed", async () => {
    const node = (index: number): object => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: `paper-${index}`, labels: { made: "paper" } },
      spec: { unschedulable: true },
    });
    const items = Array.from({ length: 120 }, (_, index) => node(index));
    const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await cluster.kubectl("create -f -", { stdin });
    const listed = await run("get nodes -l made=paper --no-headers");
    assert.equal(listed.trim().split("\n").length, 120);
    assert.match(listed, /^paper-0 +\S+,SchedulingDisabled /m);
    await run(["delete", "--raw", "/api/v1/nodes?labelSelector=made%3Dpaper"]);
    assert.equal(await run("get nodes -l made=paper -o name"), "");
  });

  it("CL-47 the API listens on 127.0.0.1", async () => {
    const url = await run([
      "config",
      "view",
      "--minify",
      "-o",
      "jsonpath={.clusters[0].cluster.server}",
    ]);
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
  });

  it("CL-21 CL-23 ip prints the node's address, ssh runs a command there", async () => {
    const ip = (await cluster.skiff("ip")).stdout.trim();
    assert.match(await run("get nodes -o wide --no-headers"), new RegExp(`e2e-\\d+-1 .* ${ip} `));
    const { code, stdout } = await cluster.skiff("ssh", "--", "ip", "-4", "address");
    assert.equal(code, 0);
    assert.ok(stdout.includes(`${ip}/`));
  });

  it("CL-26 CL-29 service prints the URL of the node port; kubectl is passed on", async () => {
    const { stdout } = await cluster.skiff("service", "front", "--url");
    assert.match(stdout, /^http:\/\/10\.[0-9.]+:30200$/m);
    const passed = await cluster.skiffKubectl("get", "nodes");
    assert.match(passed.stdout, /^NAME +STATUS/);
  });

  it("SV-15 AR-24 a fixed node port answers on every node, wherever the Pod is", async () => {
    const ports = [{ port: 80, nodePort: 30_000 }];
    await cluster.apply([serviceOf("blue", { type: "NodePort", ports }, "fixed")]);
    for (const node of ["1", "2"]) {
      const { stdout } = await cluster.skiff("ip", `${cluster.name}-${node}`);
      const ask = (): Promise<Response> => fetch(`http://${stdout.trim()}:30000/`);
      const page = await until(`node ${node} answers`, ask);
      assert.match(await page.text(), /Welcome to nginx!/, node);
    }
  });

  it("RS-02 RS-05 RS-06 a ReplicaSet keeps its number of Pods, named after it", async () => {
    assert.match(await run("get rs rs-web"), /^NAME +DESIRED +CURRENT +READY +AGE$/m);
    assert.match(await run("get rs rs-web"), /^rs-web +4 +4 +4 +\S+$/m);
    const names = (await run("get pods -l app=rs-web -o name")).trim().split("\n");
    assert.equal(names.length, 4);
    for (const name of names) assert.match(name, /^pod\/rs-web-[a-z0-9]{5}$/);
    // its labels decide whether a Pod belongs to it
    await run(`label ${names[0]} app=free --overwrite`);
    await until("it is set free", async () => {
      const owners = "jsonpath={.metadata.ownerReferences[*].name}";
      return (await run(`get ${names[0]} -o ${owners}`)) === "";
    });
    await until("four again", async () =>
      /^rs-web +4 +4 +4 /m.test(await run("get rs rs-web --no-headers")),
    );
    await run(`delete ${names[0]} --wait=false`);
  });

  it("RS-01 create makes a ReplicaSet of apps/v1, which keeps its number of Pods until it goes", async () => {
    const containers = [{ name: "web", image: "nginx:1.14" }];
    const template = { metadata: { labels: { app: "kept" } }, spec: { containers } };
    const spec = { replicas: 2, selector: { matchLabels: { app: "kept" } }, template };
    const kept = { ...replicaSet, metadata: { name: "kept" }, spec };
    const stdin = JSON.stringify(kept);
    assert.equal(await cluster.kubectl("create -f -", { stdin }), "replicaset.apps/kept created\n");
    const pods = async (): Promise<string[]> =>
      (await run("get pods -l app=kept -o name")).split("\n").filter((name) => name !== "");
    const complete = (): Promise<unknown> =>
      until("two are ready", async () =>
        /^kept +2 +2 +2 /.test(await run("get rs kept --no-headers")),
      );
    await complete();
    const first = await pods();
    await run(["delete", ...first, "--now"]);
    await complete();
    for (const name of await pods()) assert.ok(!first.includes(name), name);
    await run("delete rs kept");
    await until("its Pods go with it", async () => (await pods()).length === 0);
  });

  it("RS-12 API-33 RS-08 its selector may be set-based; a Pod too many is ended", async () => {
    await cluster.apply([shellPod("surplus", WAITING, { labels: { app: "other" } })]);
    await until(
      "it is gone",
      async () => (await run("get pods surplus --ignore-not-found -o name")) === "",
    );
    assert.match(await run("get rs rs-web"), /^rs-web +4 /m);
  });

  it("RS-11 AR-15 its Pods are spread over the nodes", async () => {
    const nodes = await run("get pods -l app=rs-web -o jsonpath={.items[*].spec.nodeName}");
    assert.deepEqual([...new Set(nodes.split(" "))].sort(), [
      `${cluster.name}-1`,
      `${cluster.name}-2`,
    ]);
  });

  it("RS-03 RS-04 SV-30 scaled, the Service's end points follow", async () => {
    assert.equal((await endpointsOf("ported")).length, 4);
    const parts = "{.metadata.annotations.note} {.spec.containers[0].name}";
    assert.equal(
      await run([
        ...["get", "pods", "-l", "app=rs-web", "-o"],
        `jsonpath={range .items[*]}${parts};{end}`,
      ]),
      "of the template web;".repeat(4),
    );
    await run("scale rs rs-web --replicas=2");
    await until("two", async () => (await endpointsOf("ported")).length === 2);
    await until("two Pods", async () =>
      /^rs-web +2 +2 +2 /m.test(await run("get rs rs-web --no-headers")),
    );
    assert.match(await run("describe svc ported"), /^Endpoints: +10\.[0-9.]+:80,10\.[0-9.]+:80$/m);
  });

  it("SV-03 SV-05 SV-04 ports may differ, several need names, targetPort is the port unless given", async () => {
    const ip = await run("get svc ported -o jsonpath={.spec.clusterIP}");
    assert.match(
      await run(["exec", "client", "--", "sh", "-c", `wget -qO- http://${ip}:3000/`]),
      /Welcome/,
    );
    assert.equal(await run("get svc ported -o jsonpath={.spec.ports[1].targetPort}"), "443");
    const nameless = serviceOf("x", { ports: [{ port: 80 }, { port: 81 }] }, "nameless");
    assert.match(await refused(nameless), /spec\.ports\[0\]\.name: Required value/);
  });

  it("SV-13 QK-02 SV-16 a node port lies in 30000-32767 and is used once", async () => {
    const wanting = (nodePort: number): object =>
      serviceOf("x", { type: "NodePort", ports: [{ port: 80, nodePort }] }, "wanting");
    assert.match(
      await refused(wanting(32_768)),
      /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
    );
    assert.match(await refused(wanting(30_200)), /provided port is already allocated/);
  });

  it("SV-08 SV-09 the cluster IP comes from the range or from the user", async () => {
    const [, range] = /^(\d+\.\d+)\./.exec(
      await run("get svc kubernetes -o jsonpath={.spec.clusterIP}"),
    )!;
    assert.ok((await run("get svc front -o jsonpath={.spec.clusterIP}")).startsWith(`${range}.`));
    await cluster.apply([serviceOf("blue", { clusterIP: `${range}.200.7` }, "chosen")]);
    assert.match(await run("get svc chosen --no-headers"), new RegExp(` ${range}\\.200\\.7 `));
    const moved = '{"spec":{"clusterIP":"10.96.1.1"}}';
    const { code, stderr } = await cluster.tryKubectl(["patch", "svc", "chosen", "-p", moved]);
    assert.equal(code, 1);
    assert.match(stderr, /may not change once set|field is immutable/);
  });

  it("SV-27 SV-54 SV-02 no selector makes no end points, one that matches none makes empty ones", async () => {
    assert.deepEqual(await endpointsOf("unmatched"), []);
    assert.equal((await cluster.tryKubectl("get endpoints by-hand")).code, 1);
    const [ip] = await endpointsOf("ported");
    await cluster.apply([
      {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name: "by-hand" },
        subsets: [{ addresses: [{ ip }], ports: [{ port: 80 }] }],
      },
    ]);
    const address = await run("get svc by-hand -o jsonpath={.spec.clusterIP}");
    await until("the hand-made end point answers", async () =>
      (
        await cluster.tryKubectl([
          "exec",
          "client",
          "--",
          "sh",
          "-c",
          `wget -qO- http://${address}/`,
        ])
      ).stdout.includes("Welcome"),
    );
  });

  it("SV-25 an ExternalName Service is a CNAME", async () => {
    assert.match(
      await run("get svc alias --no-headers"),
      /^alias +ExternalName +<none> +db\.example\.com +<none> /,
    );
    const answer = await cluster.tryKubectl([
      "exec",
      "client",
      "--",
      "nslookup",
      "alias.default.svc.cluster.local",
    ]);
    assert.match(answer.stdout, /canonical name = db\.example\.com/);
  });

  it("SV-26 a Service also answers on its external addresses", async () => {
    await cluster.apply([serviceOf("green", { externalIPs: ["10.99.99.9"] }, "external")]);
    await until("the address answers", async () =>
      (await cluster.tryKubectl("exec client -- wget -qO- http://10.99.99.9/")).stdout.includes(
        "Welcome",
      ),
    );
  });

  it("SV-46 DE-36 two Deployments side by side; a changed selector moves the traffic", async () => {
    const green = await run("get pods -l app=green -o jsonpath={.items[*].status.podIP}");
    await run(["patch", "svc", "front", "-p", '{"spec":{"selector":{"app":"green"}}}']);
    await until("only green is left", async () => (await endpointsOf("front")).join() === green);
    await until("green is asked", async () => {
      const address = `http://${await cluster.nodeIp()}:30200/?green`;
      await (await fetch(address, { headers: { connection: "close" } })).text();
      return (await run("logs deploy/green")).includes("GET /?green");
    });
    assert.match(await run("get deploy"), /^blue +1\/1 [^]*^green +1\/1 /m);
  });

  it("NS-09 SV-35 a Service answers to its name from another namespace", async () => {
    await run("create namespace team");
    await run("run far -n team --image=nginx:1.14");
    await run("wait -n team --for=condition=Ready pod/far --timeout=40s");
    // as an application does that has the name in its configuration: by the C library, search list and all
    const resolves = async (name: string): Promise<number> => {
      const config = `events {} http { server { location / { proxy_pass http://${name}; } } }`;
      const script = `echo '${config}' >/tmp/a; nginx -t -c /tmp/a`;
      const line = ["exec", "-n", "team", "far", "--", "/bin/sh", "-c", script];
      return (await cluster.tryKubectl(line)).code;
    };
    assert.equal(await resolves("front.default"), 0);
    assert.equal(await resolves("front"), 1);
    const found = await run("exec -n team far -- nslookup front.default.svc.cluster.local");
    assert.ok(found.includes(await run("get svc front -o jsonpath={.spec.clusterIP}")));
  });

  it("CS-07 API-41 objects and their status need no volume: they are in the store, and outlive the server", async () => {
    await run("create configmap plain --from-literal=word=public");
    await run("create secret generic used --from-literal=word=secret");
    await run("run finished --image=busybox:1.29 --restart=Never -- true");
    await until("it is done", async () => (await run("get pod finished")).includes(" Completed "));
    // The last thing that its status says.
    const sandbox = "{.status.conditions[?(@.type=='PodReadyToStartContainers')].status}";
    await until("its sandbox is gone", async () =>
      (await run(`get pod finished -o jsonpath=${sandbox}`)).includes("False"),
    );
    const pidFile = `${cluster.home}/${cluster.name}/run/server.pid`;
    const serverPid = (): number =>
      (JSON.parse(readFileSync(pidFile, "utf8")) as { pid: number }).pid;
    const all = (): Promise<string> =>
      run("get configmap/plain secret/used pod/finished namespace/default -o json");
    const before = await all();
    const pid = cluster.signal("server", "SIGKILL");
    const after = await until(
      "the server is back",
      async () => serverPid() !== pid && (await all()),
    );
    assert.equal(after, before);
    assert.match(after, /"phase": "Succeeded"/);
  });

  it("AR-29 a node is added while Pods run, and taken away again when others have its Pods", async () => {
    const containers = "jsonpath={.items[*].status.containerStatuses[*].containerID}";
    const running = (): Promise<string> => run(["get", "pods", "-l", "app=blue", "-o", containers]);
    const nodeOfGuest = (): Promise<string> =>
      run("get pods -l app=guest -o jsonpath={.items[*].spec.nodeName}");
    const before = await running();
    const grown = await cluster.skiff("start", "--nodes", "3", "--kubeconfig", cluster.kubeconfig);
    assert.equal(grown.code, 0, grown.stderr);
    const third = `${cluster.name}-3`;
    assert.match(await run("get nodes --no-headers"), new RegExp(`^${third} +Ready `, "m"));
    assert.equal(await running(), before, "what runs goes on");
    for (const node of ["1", "2"]) await run(`cordon ${cluster.name}-${node}`);
    await cluster.apply([nginxDeployment("guest"), serviceOf("guest")]);
    await run("rollout status deploy/guest --timeout=40s");
    assert.equal(await nodeOfGuest(), third);
    const ip = await run("get svc guest -o jsonpath={.spec.clusterIP}");
    assert.match(await run(`exec client -- wget -qO- http://${ip}/`), /Welcome to nginx!/);

    for (const node of ["1", "2"]) await run(`uncordon ${cluster.name}-${node}`);
    await run(`cordon ${third}`);
    await run("delete pods -l app=guest");
    await run("rollout status deploy/guest --timeout=40s");
    cluster.signal(`agent-${third}`, "SIGSTOP");
    try {
      assert.match(await run(`delete node ${third}`), /^node "\S+" deleted/);
      assert.doesNotMatch(await run("get nodes --no-headers"), new RegExp(third));
      assert.notEqual(await nodeOfGuest(), third);
      assert.match(await run(`exec client -- wget -qO- http://${ip}/`), /Welcome to nginx!/);
    } finally {
      cluster.signal(`agent-${third}`, "SIGCONT");
    }
  });

  it("CL-17 CL-18 over a stop and start all objects stay, with their age, and Pods come up again", async () => {
    const ids = (): Promise<string> =>
      run("get deploy,rs,svc,ns -A -o jsonpath={.items[*].metadata.uid}");
    const before = await ids();
    const stopped = await cluster.skiff("stop");
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal((await cluster.tryKubectl("get pods")).code, 1);
    const started = await cluster.skiff("start", "--kubeconfig", cluster.kubeconfig);
    assert.equal(started.code, 0, started.stderr);
    assert.equal(await ids(), before);
    await run("rollout status deploy/blue --timeout=40s");
    await until(
      "green answers again",
      async () => (await fetch(`http://${await cluster.nodeIp()}:30200/`)).ok,
    );
  });

  it("CL-19 CL-20 delete removes every trace, and the next start is an empty cluster", async () => {
    assert.equal((await cluster.skiff("delete")).code, 0);
    assert.ok(!existsSync(`${cluster.home}/${cluster.name}`));
    assert.equal((await cluster.skiff("status")).code, 1);
    const fresh = newCluster();
    const started = await fresh.skiff("start", "--kubeconfig", fresh.kubeconfig);
    assert.equal(started.code, 0, started.stderr);
    assert.equal(await run("get deploy -A -o name"), "");
  });

  it("CL-06 CL-08 after a crash start says what is gone and makes it again; a local proxy is not handed on", async () => {
    const crashed = newCluster();
    const folder = `${crashed.home}/${crashed.name}`;
    const { supervisors, roles } = findClusterProcesses(folder);
    for (const pid of [...supervisors, ...roles]) process.kill(pid, "SIGKILL");
    const starting = crashed.startSkiff(["start", "--kubeconfig", crashed.kubeconfig], {
      env: { HTTP_PROXY: "http://127.0.0.1:3128", HTTPS_PROXY: "http://proxy.example:3128" },
    });
    const { code, stdout, stderr } = await starting.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /it was not stopped: what ran for it is gone, and is made anew/);
    assert.match(
      stderr,
      /warning: HTTP_PROXY=http:\/\/127\.0\.0\.1:3128 is not handed to the nodes/,
    );
    assert.match(stdout, /network option HTTPS_PROXY=http:\/\/proxy\.example:3128/);
    assert.match(stderr, /warning: NO_PROXY lacks the nodes' range: add 10\.[0-9.]+\/24/);
    const agent = readFileSync(`${folder}/run/agent-${crashed.name}-1.pid`, "utf8");
    const { pid } = JSON.parse(agent) as { pid: number };
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    assert.ok(!environment.some((line) => line.startsWith("HTTP_PROXY=")));
    assert.ok(environment.includes("HTTPS_PROXY=http://proxy.example:3128"));
    assert.match(await run("get nodes --no-headers"), / Ready /);
  });
});
