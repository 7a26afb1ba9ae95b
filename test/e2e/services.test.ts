// Services on two nodes: which Pods they ask, at which port, from where, and what they show; and who may do what in a namespace.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

/** Serves a page that says who it is. */
const serving = (port: number, page: string): string =>
  `mkdir /www; echo ${page} >/www/index.html; exec httpd -f -p ${port} -h /www`;
/** Longer than an answer takes, and short enough to wait for one that never comes. */
const ANSWER_MS_MAX = 3000;

describe("Services on two nodes", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  let nodes: readonly string[];
  const addresses = new Map<string, string>();
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const ipOf = (service: string): Promise<string> =>
    run(`get svc ${service} -o jsonpath={.spec.clusterIP}`);
  const ask = (url: string): Promise<string> =>
    run(["exec", "client", "--", "sh", "-c", `timeout 5 wget -qO- http://${url}/ 2>&1 || true`]);
  /** What a node port answers on a node's address; undefined: nothing. */
  const onNode = async (node: string, port: number): Promise<string | undefined> => {
    try {
      const answer = await fetch(`http://${addresses.get(node)}:${port}/`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      return (await answer.text()).trim();
    } catch {
      return undefined;
    }
  };
  const pinned = (node: string): object => ({ nodeSelector: { "kubernetes.io/hostname": node } });
  const opened = (name: string, nodePort: number, spec: object = {}): object =>
    serviceOf("homed", { type: "NodePort", ports: [{ port: 80, nodePort }], ...spec }, name);

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
    nodes = [1, 2].map((index) => `${cluster.name}-${index}`);
    for (const node of nodes) addresses.set(node, (await cluster.skiff("ip", node)).stdout.trim());
    const container = (name: string, port: number): object => ({
      name,
      image: "busybox:1.29",
      command: ["/bin/sh", "-c", serving(port, name)],
      ports: [{ name, containerPort: port }],
    });
    const shared = "until test -e /tmp/up; do sleep 0.1; done; ";
    await cluster.apply([
      shellPod("client", WAITING),
      shellPod("homed", serving(80, "homed"), { spec: pinned(nodes[0]!) }),
      opened("anywhere", 30_301),
      opened("at-home", 30_302, { externalTrafficPolicy: "Local" }),
      shellPod("twin", "", {
        spec: { containers: [container("left", 80), container("right", 81)] },
      }),
      ...["left", "right"].map((targetPort) =>
        serviceOf("twin", { ports: [{ port: 80, targetPort }] }, `twin-${targetPort}`),
      ),
      ...["well", "ill"].map((name) =>
        shellPod(name, `touch /tmp/up; ${shared}${serving(80, name)}`, {
          labels: { app: "patients" },
          container: {
            readinessProbe: {
              exec: { command: ["test", "-e", "/tmp/up"] },
              periodSeconds: 1,
              failureThreshold: 1,
            },
          },
        }),
      ),
      serviceOf("patients"),
      serviceOf("webapp", {}, "described"),
      serviceOf("homed", { type: "LoadBalancer" }, "balanced"),
      serviceOf("homed", { type: "NodePort" }, "kind-nodeport"),
      serviceOf("homed", {}, "kind-clusterip"),
      serviceOf("homed", { clusterIP: "None" }, "kind-headless"),
      serviceOf("homed", { type: "LoadBalancer" }, "kind-balanced"),
    ]);
    for (const pod of ["client", "homed", "twin"]) await ready(pod);
  });
  after(() => cluster?.close());

  it("SV-06 of two containers in a Pod the target port decides which one is reached", async () => {
    for (const name of ["left", "right"]) {
      const ip = await ipOf(`twin-${name}`);
      await until(`${name} answers`, async () => (await ask(ip)) === `${name}\n`);
    }
  });

  it("SV-10 only those Pods are asked whose probe says that they are well", async () => {
    for (const pod of ["well", "ill"]) await ready(pod);
    const ip = await ipOf("patients");
    const answers = async (count: number): Promise<string[]> => {
      const loop = `for i in $(seq ${count}); do timeout 5 wget -qO- http://${ip}/; done`;
      const text = await run(["exec", "client", "--", "sh", "-c", loop]);
      return [...new Set(text.trim().split("\n"))].sort();
    };
    await until("both are asked", async () => (await answers(20)).join() === "ill,well");
    await run("exec ill -- rm /tmp/up");
    await run("wait --for=condition=Ready=false pod/ill --timeout=20s");
    await until("one is asked", async () => (await answers(20)).join() === "well");
    assert.deepEqual(await answers(40), ["well"]);
    await run("exec ill -- touch /tmp/up");
    await until("both are asked again", async () => (await answers(20)).join() === "ill,well");
  });

  it("SV-38 with externalTrafficPolicy Local only the node of the Pod answers; Cluster is the default", async () => {
    const policy = async (name: string): Promise<string> =>
      /^External Traffic Policy: +(\S+)$/m.exec(await run(`describe svc ${name}`))?.[1] ?? "";
    assert.equal(await policy("anywhere"), "Cluster");
    assert.equal(await policy("at-home"), "Local");
    await until("it answers", async () => (await onNode(nodes[0]!, 30_302)) === "homed");
    assert.equal(await onNode(nodes[1]!, 30_302), undefined);
  });

  it("SV-39 a node without the Pod hands on what comes from outside, and the answer comes back", async () => {
    assert.equal(await run("get pod homed -o jsonpath={.spec.nodeName}"), nodes[0]);
    for (const node of nodes)
      await until(node, async () => (await onNode(node, 30_301)) === "homed");
  });

  it("a Service that prefers its zone or node is answered there while somebody can, and elsewhere else", async () => {
    const sides = ["east", "west"];
    const zone = (names: readonly string[]): Promise<unknown> =>
      Promise.all(
        nodes.map((node, index) =>
          run(`label node ${node} --overwrite topology.kubernetes.io/zone=${names[index]}`),
        ),
      );
    await zone(sides);
    await cluster.apply([
      ...sides.flatMap((side, index) => [
        shellPod(side, serving(80, side), {
          labels: { app: "near" },
          spec: pinned(nodes[index]!),
          container: { readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 } },
        }),
        shellPod(`asks-${side}`, WAITING, { spec: pinned(nodes[index]!) }),
      ]),
      ...["PreferSameZone", "PreferSameNode"].map((trafficDistribution) =>
        serviceOf("near", { trafficDistribution }, trafficDistribution.toLowerCase()),
      ),
    ]);
    for (const side of sides) for (const pod of [side, `asks-${side}`]) await ready(pod);
    const answers = async (service: string, side: string): Promise<string> => {
      const loop = `for i in $(seq 30); do timeout 5 wget -qO- http://${await ipOf(service)}/; done`;
      const text = await run(["exec", `asks-${side}`, "--", "sh", "-c", loop]);
      return [...new Set(text.trim().split("\n"))].sort().join();
    };
    const only = (service: string, side: string, expected: string): Promise<unknown> =>
      until(
        `${service} answers ${side} from ${expected}`,
        async () => (await answers(service, side)) === expected,
      );
    for (const service of ["prefersamezone", "prefersamenode"])
      for (const side of sides) await only(service, side, side);

    await zone(["east", "east"]);
    for (const side of sides) {
      await only("prefersamezone", side, "east,west");
      await only("prefersamenode", side, side);
    }
    await run("delete pod west");
    for (const service of ["prefersamezone", "prefersamenode"]) await only(service, "west", "east");
  });

  it("SV-50 describe tells a Service's address and selector", async () => {
    const text = await run("describe svc described");
    assert.match(
      text,
      new RegExp(`^IP: +${(await ipOf("described")).replaceAll(".", "\\.")}$`, "m"),
    );
    assert.match(text, /^Selector: +app=webapp$/m);
  });

  it("SV-20 SV-55 the address that a provider writes into the status is shown, and answers", async () => {
    const row = (): Promise<string> => run("get svc balanced --no-headers");
    assert.match(await row(), /^balanced +LoadBalancer +10\.\S+ +<pending> +80:\d+\/TCP /);
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } };
    await run([
      ...["patch", "svc", "balanced", "--subresource=status"],
      ...["-p", JSON.stringify({ status })],
    ]);
    assert.match(await row(), /^balanced +LoadBalancer +10\.\S+ +203\.0\.113\.9 +80:\d+\/TCP /);
    await until("it answers", async () => (await ask("203.0.113.9")) === "homed\n");
  });

  it("SV-21 cluster IPs are of all kinds but headless, external ones of LoadBalancers alone", async () => {
    const ingress = [{ hostname: "lb.example.com" }];
    await run([
      ...["patch", "svc", "kind-balanced", "--subresource=status"],
      ...["-p", JSON.stringify({ status: { loadBalancer: { ingress } } })],
    ]);
    const rows = await run("get svc --no-headers");
    assert.match(rows, /^kind-clusterip +ClusterIP +10\.\S+ +<none> +80\/TCP /m);
    assert.match(rows, /^kind-nodeport +NodePort +10\.\S+ +<none> +80:\d+\/TCP /m);
    assert.match(rows, /^kind-headless +ClusterIP +None +<none> +80\/TCP /m);
    assert.match(rows, /^kind-balanced +LoadBalancer +10\.\S+ +lb\.example\.com +80:\d+\/TCP /m);
  });

  it("SV-34 names are answered by the Service kube-dns in kube-system, which every Pod asks", async () => {
    const row = await run("get svc kube-dns -n kube-system --no-headers");
    const [, ip] = /^kube-dns +ClusterIP +(10\.\S+) +<none> +53\/UDP,53\/TCP/.exec(row) ?? [];
    assert.ok(ip, row);
    assert.match(
      await run("exec client -- cat /etc/resolv.conf"),
      new RegExp(`^nameserver ${ip}$`, "m"),
    );
    const found = await run("exec client -- nslookup kube-dns.kube-system.svc.cluster.local");
    assert.match(found, new RegExp(`Address: ${ip}$`, "m"));
  });

  it("NS-08 a Pod uses ConfigMaps and Secrets of its own namespace alone", async () => {
    await run("create configmap words --from-literal=word=here");
    await run("create secret generic words --from-literal=word=here");
    await run("create namespace apart");
    const reader = (name: string, ref: string): object => ({
      ...shellPod(name, WAITING, {
        container: {
          env: [{ name: "WORD", valueFrom: { [ref]: { name: "words", key: "word" } } }],
        },
      }),
      metadata: { name, namespace: "apart" },
    });
    await cluster.apply([reader("of-map", "configMapKeyRef"), reader("of-secret", "secretKeyRef")]);
    for (const [pod, kind] of [
      ["of-map", "configmap"],
      ["of-secret", "secret"],
    ])
      await until(`${pod} is told why`, async () =>
        (await run(`describe pod ${pod} -n apart`)).includes(`Error: ${kind} "words" not found`),
      );
    await run("create configmap words -n apart --from-literal=word=there");
    await run("create secret generic words -n apart --from-literal=word=there");
    for (const pod of ["of-map", "of-secret"]) {
      await run(`wait -n apart --for=condition=Ready pod/${pod} --timeout=40s`);
      assert.match(await run(`exec -n apart ${pod} -- env`), /^WORD=there$/m);
    }
  });

  it("NS-12 RB-10 a team creates and changes in its own namespace, and nowhere else", async () => {
    await run("create namespace team-a");
    await run("create role worker -n team-a --verb=create,update,get,patch --resource=configmaps");
    await run("create rolebinding worker -n team-a --role=worker --group=team-a");
    const as = ["--as=anna", "--as-group=team-a"].join(" ");
    assert.match(await run(`create configmap own -n team-a ${as}`), /^configmap\/own created$/m);
    assert.match(await run(`annotate configmap own -n team-a a=b ${as}`), /annotated/);
    for (const namespace of ["default", "kube-system"]) {
      const line = `create configmap foreign -n ${namespace} ${as}`;
      const { code, stderr } = await cluster.tryKubectl(line);
      assert.equal(code, 1);
      assert.match(stderr, /forbidden: User "anna" cannot create resource "configmaps"/);
    }
  });

  it("RB-01 RB-03 an account may do what it was given, and no more", async () => {
    await run("create serviceaccount careful");
    await cluster.apply([nginxDeployment("guarded", { replicas: 0 })]);
    const as = "--as=system:serviceaccount:default:careful";
    const may = async (line: string): Promise<string> =>
      (await cluster.tryKubectl(`auth can-i ${line} ${as}`)).stdout.trim();
    for (const line of ["get secrets", "update deployments", "get deployments"])
      assert.equal(await may(line), "no", line);
    await run("create role reading --verb=get,list --resource=deployments");
    await run("create rolebinding reading --role=reading --serviceaccount=default:careful");
    assert.equal(await may("get deployments"), "yes");
    assert.match(await run(`get deploy guarded ${as}`), /^guarded +0\/0 /m);
    for (const line of [
      "get secrets",
      "scale deploy guarded --replicas=1",
      "delete deploy guarded",
    ]) {
      const { code, stderr } = await cluster.tryKubectl(`${line} ${as}`);
      assert.equal(code, 1, line);
      assert.match(stderr, /Forbidden/, line);
    }
  });

  it("RB-11 a Role that is changed gives other rights at once", async () => {
    await run("create serviceaccount growing");
    await run("create role growing --verb=get --resource=configmaps");
    await run("create rolebinding growing --role=growing --serviceaccount=default:growing");
    const as = "--as=system:serviceaccount:default:growing";
    const may = async (line: string): Promise<string> =>
      (await cluster.tryKubectl(`auth can-i ${line} ${as}`)).stdout.trim();
    assert.equal(await may("get configmaps"), "yes");
    assert.equal(await may("get pods"), "no");
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
    await run(["patch", "role", "growing", "--type=merge", "-p", JSON.stringify({ rules })]);
    await until("the new right", async () => (await may("get pods")) === "yes");
    assert.equal(await may("get configmaps"), "no");
  });
});
