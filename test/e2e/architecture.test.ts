// Server and nodes: what runs where, who talks to whom, nodes that come and are lost; and the commands around a cluster.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

interface Names {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

describe("server and nodes", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  let nodes: readonly string[];
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const onNode = async (node: string, script: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.skiff(
      "ssh",
      node,
      "--",
      "/bin/sh",
      "-c",
      script,
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const nodeOf = (selector: string): Promise<string> =>
    run(["get", "pods", "-l", selector, "-o", "jsonpath={.items[*].spec.nodeName}"]);
  const pinned = (node: string): object => ({ nodeSelector: { "kubernetes.io/hostname": node } });

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
    const grown = await cluster.skiff("start", "--nodes", "3", "--kubeconfig", cluster.kubeconfig);
    assert.equal(grown.code, 0, grown.stderr);
    nodes = [1, 2, 3].map((index) => `${cluster.name}-${index}`);
    await run(`label node ${nodes[1]} disk=ssd`);
    await cluster.apply([
      nginxDeployment("lost", {
        podSpec: {
          terminationGracePeriodSeconds: 1,
          tolerations: ["unreachable", "not-ready"].map((taint) => ({
            key: `node.kubernetes.io/${taint}`,
            operator: "Exists",
            effect: "NoExecute",
            tolerationSeconds: 1,
          })),
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  preference: {
                    matchExpressions: [
                      { key: "kubernetes.io/hostname", operator: "In", values: [nodes[2]] },
                    ],
                  },
                },
              ],
            },
          },
        },
      }),
      shellPod("client", WAITING, { spec: pinned(nodes[0]!) }),
      nginxDeployment("web", { podSpec: pinned(nodes[0]!) }),
      serviceOf("web", { type: "LoadBalancer" }),
      shellPod("choosy", WAITING, { spec: { nodeSelector: { disk: "ssd" } } }),
      shellPod("busy", "while :; do :; done", {
        container: { resources: { limits: { cpu: "50m" } } },
        spec: pinned(nodes[0]!),
      }),
      shellPod("nowhere", WAITING, { spec: { nodeSelector: { disk: "tape" } } }),
    ]);
    await run("rollout status deploy/lost --timeout=40s");
    await ready("client");
    assert.equal(await nodeOf("app=lost"), nodes[2]);
    // from here on the third node is silent; the others do not wait for what follows
    cluster.signal(`agent-${nodes[2]}`, "SIGSTOP");
  });
  after(async () => {
    if (nodes) cluster.signal(`agent-${nodes[2]}`, "SIGCONT");
    await cluster?.close();
  });

  it("AR-28 AR-17 DE-35 a node that falls silent is NotReady, and its Pods are made anew elsewhere", async () => {
    try {
      await until(
        "it is not ready",
        async () =>
          new RegExp(`^${nodes[2]} +NotReady `, "m").test(await run("get nodes --no-headers")),
        80_000,
      );
      await until(
        "a Pod runs elsewhere",
        async () =>
          /^lost +1\/1 +1 +1 /.test(await run("get deploy lost --no-headers")) &&
          (await nodeOf("app=lost")).split(" ").some((node) => node !== nodes[2]),
        40_000,
      );
      assert.match(
        await run(`describe node ${nodes[2]}`),
        /node\.kubernetes\.io\/unreachable:NoExecute/,
      );
      assert.match(await run("get pods -l app=lost --no-headers"), / Terminating /);
    } finally {
      cluster.signal(`agent-${nodes[2]}`, "SIGCONT");
    }
    await until(
      "its containers are gone when it is back",
      async () =>
        !(await run("get pods -l app=lost -o wide --no-headers")).includes(nodes[2]!) &&
        !(await onNode(nodes[2]!, "ctr -n k8s.io containers ls")).includes("nginx"),
    );
    await until("it is ready again", async () =>
      new RegExp(`^${nodes[2]} +Ready `, "m").test(await run("get nodes --no-headers")),
    );
  });

  it("AR-30 the server gives a node that is added a range, and the addresses of its Pods lie there", async () => {
    const ranges = await run("get nodes -o jsonpath={.items[*].spec.podCIDR}");
    assert.equal(new Set(ranges.split(" ")).size, 3);
    const pods = await run(
      `get pods -l app=lost -o jsonpath={.items[?(@.spec.nodeName=="${nodes[2]}")].status.podIP}`,
    );
    const range = await run(`get node ${nodes[2]} -o jsonpath={.spec.podCIDR}`);
    assert.equal(pods.split(".").slice(0, 3).join("."), range.split(".").slice(0, 3).join("."));
  });

  it("AR-01 AR-07 the server is none of the nodes, and runs no Pods", async () => {
    const server = await run("get endpoints kubernetes -o jsonpath={.subsets[*].addresses[*].ip}");
    const addresses = await run(
      'get nodes -o jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}',
    );
    assert.equal(addresses.split(" ").length, 3);
    assert.ok(!addresses.split(" ").includes(server));
    const homes = await run("get pods -A -o jsonpath={.items[*].status.hostIP}");
    for (const home of homes.split(" ")) assert.ok(addresses.split(" ").includes(home), home);
    const alone = (await cluster.read<Names>("nodes")).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(alone, nodes);
  });

  it("AR-25 each node has a kubelet, a container runtime and a service proxy", async () => {
    for (const node of nodes.slice(0, 2)) {
      assert.equal(await run(`get --raw /api/v1/nodes/${node}/proxy/healthz`), "ok");
      assert.match(await onNode(node, "ctr version"), /Server:\n +Version:/);
      const ip = await run("get svc web -o jsonpath={.spec.clusterIP}");
      assert.ok((await onNode(node, "nft list ruleset")).includes(ip), `${node} lacks the Service`);
    }
  });

  it("AR-08 server and nodes call each other", async () => {
    const renewed = (): Promise<string> =>
      run(`get lease -n kube-node-lease ${nodes[0]} -o jsonpath={.spec.renewTime}`);
    const before = await renewed();
    // the server calls the node …
    assert.equal(await run("exec client -- echo called"), "called\n");
    // … and the node the server
    await until("the lease is renewed", async () => (await renewed()) !== before);
  });

  it("AR-16 AR-19 the control loops bring the state back to what is wished", async () => {
    await run("rollout status deploy/web --timeout=30s");
    const pod = (): Promise<string> =>
      run("get pods -l app=web --field-selector=status.phase=Running -o name");
    const before = await pod();
    await run("label pods -l app=web app=other --overwrite");
    await until("there is another one", async () => {
      const now = await pod();
      return now !== "" && now !== before;
    });
    await run("rollout status deploy/web --timeout=30s");
    await run("delete pods -l app=other --wait=false");
  });

  it("AR-18 end points and names follow Services and Pods", async () => {
    await cluster.apply([
      shellPod("named", WAITING, { spec: pinned(nodes[0]!) }),
      serviceOf("named", { clusterIP: "None" }),
    ]);
    await ready("named");
    const ip = await run("get pod named -o jsonpath={.status.podIP}");
    await until("its end point", async () =>
      (await run("get endpoints named --no-headers")).includes(`${ip}:80`),
    );
    const answer = await cluster.tryKubectl(
      "exec client -- nslookup named.default.svc.cluster.local",
    );
    assert.ok(answer.stdout.includes(ip), answer.stdout);
    await run("delete pod named");
    await until("no end point", async () =>
      (await run("get endpoints named --no-headers")).includes("<none>"),
    );
  });

  it("AR-21 AR-22 the kubelet restarts the containers of its Pods, and leaves others alone", async () => {
    const snapshotter =
      "$(ctr plugins ls | awk '/io.containerd.snapshotter.v1 +overlayfs.*ok/ {print \"overlayfs\"}' | head -1)";
    await onNode(
      nodes[1]!,
      `s=${snapshotter}; ctr -n k8s.io run -d --snapshotter \${s:-native} docker.io/library/busybox:1.29 by-hand sleep 1000 ||
       { ctr -n k8s.io container rm by-hand; ctr -n k8s.io run -d --snapshotter native docker.io/library/busybox:1.29 by-hand sleep 1000; }`,
    );
    await ready("choosy");
    // What is left of the container ends with its first process: the command, too, if it has not been faster.
    await cluster.tryKubectl("exec choosy -- kill -TERM 1");
    await until("it runs again", async () =>
      /^choosy +1\/1 +Running +1 /.test(await run("get pod choosy --no-headers")),
    );
    assert.match(await onNode(nodes[1]!, "ctr -n k8s.io tasks ls"), /^by-hand +\d+ +RUNNING/m);
    assert.ok(!(await run("get pods -A")).includes("by-hand"));
    await onNode(nodes[1]!, "ctr -n k8s.io tasks kill -s KILL by-hand");
  });

  it("PO-47 nodeSelector: only on a node that has the label, nowhere if none has", async () => {
    assert.equal(await run("get pod choosy -o jsonpath={.spec.nodeName}"), nodes[1]);
    await until("it is told why", async () =>
      /FailedScheduling .* 3 node\(s\) didn't match Pod's node affinity\/selector|FailedScheduling .*node affinity\/selector/.test(
        await run("describe pod nowhere"),
      ),
    );
    assert.match(await run("get pod nowhere --no-headers"), /^nowhere +0\/1 +Pending /);
  });

  it("PO-48 hostNetwork and hostPort take ports of the node: one Pod per node", async () => {
    const server = (name: string): object =>
      shellPod(name, "", {
        spec: {
          ...pinned(nodes[0]!),
          containers: [
            { name: "main", image: "nginx:1.14", ports: [{ containerPort: 80, hostPort: 8080 }] },
          ],
        },
      });
    await cluster.apply([
      server("first"),
      shellPod("daemon", "httpd -f -p 4194 -h /etc", {
        spec: { ...pinned(nodes[0]!), hostNetwork: true },
      }),
    ]);
    await ready("first");
    await ready("daemon");
    const ip = (await cluster.skiff("ip", nodes[0]!)).stdout.trim();
    assert.equal(await run("get pod daemon -o jsonpath={.status.podIP}"), ip);
    assert.match(await (await fetch(`http://${ip}:8080/`)).text(), /Welcome to nginx!/);
    await cluster.apply([server("second")]);
    await until("there is no room", async () =>
      /FailedScheduling .*free ports/.test(await run("describe pod second")),
    );
    assert.match(await run("get pod second --no-headers"), /^second +0\/1 +Pending /);
  });

  it("API-24 the API reaches a port of a node", async () => {
    await until(
      "the Pod on the node's network answers",
      async () =>
        (await cluster.tryKubectl(`get --raw /api/v1/nodes/${nodes[0]}:4194/proxy/passwd`)).code ===
        0,
    );
    const page = await run(`get --raw /api/v1/nodes/${nodes[0]}:4194/proxy/passwd`);
    assert.match(page, /^root:/);
  });

  it("OB-05 OB-10 the kubelet's port gives usage by namespace, Pod and container", async () => {
    await ready("client");
    const text = await until("the Pod is in it", async () => {
      const metrics = await run(`get --raw /api/v1/nodes/${nodes[0]}:10250/proxy/metrics/resource`);
      return metrics.includes('pod="client"') && metrics;
    });
    const labels = 'container="main",namespace="default",pod="client"';
    assert.match(
      text,
      new RegExp(`^container_memory_working_set_bytes\\{${labels}\\} [1-9]\\d*`, "m"),
    );
    assert.match(text, new RegExp(`^container_cpu_usage_seconds_total\\{${labels}\\} \\d`, "m"));
  });

  it("OB-07 OB-11 OB-06 under cAdvisor's names each kubelet counts what its containers use, and how often a limit stopped one", async () => {
    await ready("busy");
    await ready("choosy");
    const metricsOf = (node: string): Promise<string> =>
      run(`get --raw /api/v1/nodes/${node}/proxy/metrics/cadvisor`);
    const sample = (text: string, name: string, pod: string, container: string): number =>
      Number(
        new RegExp(
          `^container_${name}\\{container="${container}",.*namespace="default",pod="${pod}"\\} (.*)$`,
          "m",
        ).exec(text)?.[1],
      );
    const here = await until("it was stopped", async () => {
      const text = await metricsOf(nodes[0]!);
      return sample(text, "cpu_cfs_throttled_periods_total", "busy", "main") > 0 && text;
    });
    for (const pod of ["busy", "client"]) {
      assert.ok(sample(here, "memory_usage_bytes", pod, "main") > 0, pod);
      assert.ok(sample(here, "memory_usage_bytes", pod, "") > 0, pod);
      assert.ok(sample(here, "cpu_usage_seconds_total", pod, "main") > 0, pod);
    }
    assert.ok(sample(here, "cpu_cfs_throttled_seconds_total", "busy", "main") > 0);
    assert.ok(Number.isNaN(sample(here, "cpu_cfs_periods_total", "client", "main")), "no limit");
    const there = await metricsOf(nodes[1]!);
    assert.ok(sample(there, "memory_usage_bytes", "choosy", "main") > 0);
    assert.ok(!here.includes('pod="choosy"') && !there.includes('pod="client"'), "one per node");
  });

  it("OB-16 events are data: they can be watched and written out", async () => {
    const watching = cluster.startKubectl("get events -w --watch-only -o json");
    await run("rollout restart deploy/web");
    await until("an event as JSON", () =>
      /"kind": "Event"[^]*"reason": "ScalingReplicaSet"/.test(watching.output()),
    );
    await watching.end();
  });

  it("SV-18 SV-19 SV-49 a LoadBalancer without a provider is pending, and its node port and cluster IP answer", async () => {
    await run("rollout status deploy/web --timeout=30s");
    const row = await run("get svc web --no-headers");
    const [, ip, port] = /^web +LoadBalancer +(\S+) +<pending> +80:(\d+)\/TCP /.exec(row) ?? [];
    assert.ok(port, row);
    assert.match(await run(`exec client -- wget -qO- http://${ip}/`), /Welcome to nginx!/);
    const page = await fetch(`http://${await cluster.nodeIp()}:${port}/`);
    assert.match(await page.text(), /Welcome to nginx!/);
  });

  it("CL-28 service makes a pending LoadBalancer reachable", async () => {
    await run("rollout status deploy/web --timeout=30s");
    const { stdout } = await cluster.skiff("service", "web", "--url");
    assert.match(await (await fetch(stdout.trim())).text(), /Welcome to nginx!/);
  });

  it("CL-22 ssh without a command is a shell on the node", async () => {
    const shell = cluster.startSkiff(["ssh"], { stdin: "ip -4 address\nexit 7\n" });
    const { code, stdout } = await shell.ended;
    assert.equal(code, 7);
    assert.ok(stdout.includes(`${await cluster.nodeIp()}/`));
  });

  it("CL-41 skiff keeps clusters; objects are kubectl's", async () => {
    for (const verb of ["get", "create", "apply"]) {
      const { code, stderr } = await cluster.skiff(verb, "pods");
      assert.equal(code, 2, verb);
      assert.match(stderr, new RegExp(`'?${verb}'?`));
    }
    assert.doesNotMatch((await cluster.skiff("--help")).stdout, /^ {2}(get|create|apply) /m);
  });

  it("CL-14 start fails when the machine lacks a container runtime, and says what to install", async () => {
    const hidden = ["/usr/bin/containerd", "/usr/local/bin/containerd", "/usr/sbin/containerd"];
    const hide = hidden.map(
      (path) => `if test -e ${path}; then mount --bind /dev/null ${path}; fi`,
    );
    const skiff = `${process.execPath} bin/skiff.cjs`;
    const command = `timeout 30 ${skiff} start --name without-runtime`;
    const script = [...hide, command].join("\n");
    const starting = cluster.startProgram("unshare", ["--mount", "/bin/sh", "-ec", script]);
    const { code, stderr } = await starting.ended;
    if (code !== 1)
      await cluster.startProgram("sh", ["-c", `${skiff} delete --name without-runtime`]).ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /lacks:\n +containerd \(Debian package containerd\)/);
  });

  it("CL-13 without kubectl in PATH start hints at skiff kubectl", async () => {
    const folder = join(cluster.home, "no-kubectl");
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync("/usr/bin"))
      if (!file.startsWith("kubectl")) symlinkSync(`/usr/bin/${file}`, join(folder, file));
    const starting = cluster.startSkiff(["start", "--kubeconfig", cluster.kubeconfig], {
      env: { PATH: folder },
    });
    const { code, stdout } = await starting.ended;
    assert.equal(code, 0);
    assert.match(stdout, /kubectl is not in PATH: try 'skiff kubectl get pods -A'/);
    const withKubectl = await cluster.skiff("start", "--kubeconfig", cluster.kubeconfig);
    assert.ok(!withKubectl.stdout.includes("not in PATH"));
  });

  it("CL-27 service --tunnel makes a Service answer on this machine's own address until it is ended", async () => {
    await run("rollout status deploy/web --timeout=30s");
    const tunnel = cluster.startSkiff(["service", "web", "--tunnel"]);
    const url = await until(
      "its URL",
      () => /http:\/\/127\.0\.0\.1:\d+/.exec(tunnel.output())?.[0],
    );
    assert.match(tunnel.output(), /^Starting tunnel for service web\./m);
    assert.match(await (await fetch(url)).text(), /Welcome to nginx!/);
    const { code, stdout } = await tunnel.end("SIGINT");
    assert.equal(code, 0);
    assert.match(stdout, /^Stopping tunnel for service web\.$/m);
    await assert.rejects(fetch(url));
  });
});
