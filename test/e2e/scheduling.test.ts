// Where Pods go: by room, labels, affinity, taints, spread, priority and profile, on two nodes.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { newCluster, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, shellPod, WAITING } from "../support/sample-apps.ts";

const IGNORED = "IgnoredDuringExecution";

/** What Pods ask for where the test says how much of it a node has. */
const SEAT = "example.com/seat";

/** The usual profile, and one that fills the seats of a node before those of the next. */
const TWO_PROFILES = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  plugins:
    score:
      disabled: [{name: "*"}]
      enabled: [{name: NodeResourcesFit}]
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy: {type: MostAllocated, resources: [{name: ${SEAT}, weight: 1}]}
`;

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly nodeName?: string };
  }[];
}

interface PodStatus {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string; readonly priority?: number };
  readonly status: {
    readonly nominatedNodeName?: string;
    readonly conditions: readonly {
      readonly type: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

const waiting = (name: string, spec: object, labels: object = {}): object =>
  shellPod(name, WAITING, { spec, labels });
const nodeTerm = (key: string, value: string): object => ({
  matchExpressions: [{ key, operator: "In", values: [value] }],
});
const near = (app: string): object => ({
  topologyKey: "kubernetes.io/hostname",
  labelSelector: { matchLabels: { app } },
});

describe("scheduling", () => {
  let cluster: TestCluster;
  let nodes: readonly [string, string];
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const nodeOf = async (pod: string): Promise<string> =>
    (await cluster.read<PodStatus>(`pod ${pod}`)).spec.nodeName ?? "";
  const placed = (pod: string): Promise<string> =>
    until(`${pod} has a node`, async () => nodeOf(pod));
  /** The scheduler's message, when it has said one. */
  const refused = (pod: string): Promise<string> =>
    until(`${pod} is told why it waits`, async () => {
      const { conditions } = (await cluster.read<PodStatus>(`pod ${pod}`)).status;
      return conditions?.find(({ reason }) => reason === "Unschedulable")?.message;
    });
  /** As an administrator says what a node has that its kubelet does not know of. */
  const giveSeats = (node: string, count: number): Promise<string> => {
    const amount = { [SEAT]: String(count) };
    const body = JSON.stringify({ status: { capacity: amount, allocatable: amount } });
    return run(["patch", "node", node, "--subresource=status", "-p", body]);
  };
  const nodesOfApp = async (app: string): Promise<readonly string[]> =>
    (await cluster.read<Pods>(`pods -l app=${app}`)).items.map(({ spec }) => spec.nodeName ?? "");

  before(async () => {
    const file = join(newCluster().home, "scheduler.yaml");
    writeFileSync(file, TWO_PROFILES);
    const flags = ["--nodes", "2", "--scheduler-config", file];
    cluster = await startCluster(["busybox", "nginx"], ...flags);
    nodes = [`${cluster.name}-1`, `${cluster.name}-2`];
  });
  after(() => cluster?.close());

  it("SC-01 replicas go where there is room, and to different nodes", async () => {
    await cluster.apply([nginxDeployment("apart", { replicas: 4 })]);
    await run("rollout status deploy/apart --timeout=40s");
    assert.deepEqual([...(await nodesOfApp("apart"))].sort(), [
      nodes[0],
      nodes[0],
      nodes[1],
      nodes[1],
    ]);
    await cluster.apply([
      waiting("huge", { containers: [hungry("1000")] }),
      waiting("modest", { containers: [hungry("10m")] }),
    ]);
    await placed("modest");
    assert.match(await refused("huge"), /^0\/2 nodes are available: 2 Insufficient cpu\./);
  });

  it("SC-02 SC-03 SC-04 a Pod waits until a node is given all labels that it asks for", async () => {
    await run(`label node ${nodes[0]} disk=ssd`);
    await cluster.apply([waiting("chooser", { nodeSelector: { disk: "ssd", gpu: "true" } })]);
    assert.equal(
      await refused("chooser"),
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. " +
        "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    );
    assert.match(await run("get pod chooser --no-headers"), /\bPending\b/);
    await run(`label node ${nodes[1]} gpu=true`);
    assert.equal(await nodeOf("chooser"), "");
    await run(`label node ${nodes[0]} gpu=true`);
    assert.equal(await placed("chooser"), nodes[0]);
  });

  it("SC-07 affinity may demand or prefer nodes, and Pods to be near to or far from", async () => {
    await run(`label node ${nodes[1]} speed=fast`);
    const affinities: Readonly<Record<string, object>> = {
      must: {
        nodeAffinity: {
          [`requiredDuringScheduling${IGNORED}`]: {
            nodeSelectorTerms: [nodeTerm("speed", "fast")],
          },
        },
      },
      prefers: {
        nodeAffinity: {
          [`preferredDuringScheduling${IGNORED}`]: [
            { weight: 100, preference: nodeTerm("speed", "fast") },
          ],
        },
      },
      follows: { podAffinity: { [`requiredDuringScheduling${IGNORED}`]: [near("must")] } },
      avoids: { podAntiAffinity: { [`requiredDuringScheduling${IGNORED}`]: [near("must")] } },
    };
    for (const [name, affinity] of Object.entries(affinities)) {
      await cluster.apply([waiting(name, { affinity })]);
      assert.equal(await placed(name), nodes[name === "avoids" ? 0 : 1], name);
    }
    const both = { [`requiredDuringScheduling${IGNORED}`]: [near("must"), near("avoids")] };
    await cluster.apply([waiting("nowhere", { affinity: { podAntiAffinity: both } })]);
    assert.match(
      await refused("nowhere"),
      /^0\/2 nodes are available: 2 node\(s\) didn't match pod anti-affinity rules\./,
    );
  });

  it("SC-08 SC-12 a node that is set apart by taint and label takes the Pods meant for it, no others", async () => {
    await run(`label node ${nodes[1]} role=build`);
    await run(`taint node ${nodes[1]} only=build:NoSchedule`);
    try {
      const other = { nodeSelector: { role: "build" } };
      await cluster.apply([
        waiting("test-build", {
          ...other,
          tolerations: [{ key: "only", value: "build", effect: "NoSchedule" }],
        }),
        waiting("intruder", other),
        waiting("elsewhere", {}),
      ]);
      assert.equal(await placed("test-build"), nodes[1]);
      assert.equal(await placed("elsewhere"), nodes[0]);
      assert.match(
        await refused("intruder"),
        /^0\/2 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector, 1 node\(s\) had untolerated taint\(s\)\./,
      );
    } finally {
      await run(`taint node ${nodes[1]} only-`);
    }
    assert.equal(await placed("intruder"), nodes[1]);
  });

  it("QK-08 no node of a local cluster is closed to Pods; one with the taint of a master is", async () => {
    assert.equal(await run("get nodes -o jsonpath={.items[*].spec.taints}"), "");
    const taint = "node-role.kubernetes.io/master";
    await run(`taint nodes --all ${taint}=:NoSchedule`);
    try {
      await cluster.apply([
        waiting("ordinary", {}),
        waiting("of-the-system", { tolerations: [{ key: taint, operator: "Exists" }] }),
      ]);
      await placed("of-the-system");
      const why = `2 node(s) had untolerated taint(s)`;
      assert.ok((await refused("ordinary")).includes(why));
    } finally {
      await run(`taint nodes --all ${taint}-`);
    }
    await placed("ordinary");
  });

  it("SC-10 an event says who was assigned where", async () => {
    await cluster.apply([waiting("told", {})]);
    const node = await placed("told");
    const line = await until("the event is there", () =>
      run("get events --field-selector involvedObject.name=told,reason=Scheduled --no-headers"),
    );
    assert.match(line, new RegExp(`Successfully assigned default/told to ${node}`));
    assert.match(await run("describe pod told"), /Scheduled +\S+ +default-scheduler +Successfully/);
  });

  it("SC-06 labels of clouds are labels like others", async () => {
    await run(`label node ${nodes[0]} cloud.google.com/gke-nodepool=ins`);
    await run(`label node ${nodes[0]} beta.kubernetes.io/fluentd-ds-ready=true`);
    const nodeSelector = {
      "cloud.google.com/gke-nodepool": "ins",
      "beta.kubernetes.io/fluentd-ds-ready": "true",
    };
    await cluster.apply([waiting("pooled", { nodeSelector })]);
    assert.equal(await placed("pooled"), nodes[0]);
    const shown = await run("get nodes -L cloud.google.com/gke-nodepool --no-headers");
    assert.match(shown, new RegExp(`^${nodes[0]} .* ins *$`, "m"));
  });

  it("SC-13 the containers of a Pod are on one node, whatever room there is on others", async () => {
    const containers = ["one", "two"].map((name) => ({ ...hungry("10m"), name }));
    await cluster.apply([waiting("couple", { containers })]);
    await run("wait --for=condition=Ready pod/couple --timeout=40s");
    // They share the Pod's network, so what one serves the other reaches on its own address.
    await run([
      ..."exec couple -c one -- sh -c".split(" "),
      "echo together >/tmp/x; (while :; do nc -l -p 7000 </tmp/x; done) >/dev/null 2>&1 &",
    ]);
    const heard = await until("the other container hears it", () =>
      run([
        ..."exec couple -c two -- sh -c".split(" "),
        "nc -w 1 127.0.0.1 7000 </dev/null || true",
      ]),
    );
    assert.equal(heard.trim(), "together");
    // Each of the two would fit, both do not.
    const { status } = await cluster.read<{ status: { allocatable: { cpu: string } } }>(
      `node ${nodes[0]}`,
    );
    const { cpu } = status.allocatable;
    const millis = cpu.endsWith("m") ? Number.parseInt(cpu, 10) : 1000 * Number(cpu);
    const most = ["a", "b"].map((name) => ({ ...hungry(`${Math.ceil(millis * 0.6)}m`), name }));
    await cluster.apply([waiting("too-wide", { containers: most })]);
    assert.match(await refused("too-wide"), /2 Insufficient cpu/);
  });

  it("SC-09 a CronJob's Pods have no fixed node, unless it names one", async () => {
    const cronJob = (name: string, spec: object): object => ({
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name },
      spec: {
        // Never by itself: its Jobs are asked for below.
        schedule: "0 0 30 2 *",
        jobTemplate: {
          spec: {
            template: {
              metadata: { labels: { app: name } },
              spec: { restartPolicy: "Never", containers: [hungry("10m")], ...spec },
            },
          },
        },
      },
    });
    await cluster.apply([cronJob("free", {}), cronJob("tied", { nodeName: nodes[0] })]);
    const podOf = async (job: string): Promise<string> => {
      const items = await until(`${job} has a Pod with a node`, async () => {
        const found = await cluster.read<Pods>(`pods -l job-name=${job}`);
        return found.items[0]?.spec.nodeName && found.items;
      });
      return items[0]!.spec.nodeName!;
    };
    const start = async (name: string, job: string): Promise<string> => {
      await run(`create job ${job} --from=cronjob/${name}`);
      return podOf(job);
    };
    try {
      await run(`cordon ${nodes[1]}`);
      assert.equal(await start("free", "free-1"), nodes[0]);
      await run(`uncordon ${nodes[1]}`);
      await run(`cordon ${nodes[0]}`);
      assert.equal(await start("free", "free-2"), nodes[1]);
      // It asks nobody.
      assert.equal(await start("tied", "tied-1"), nodes[0]);
    } finally {
      await run(`uncordon ${nodes[0]} ${nodes[1]}`);
    }
  });

  it("SC-05 a node has labels for its name, its system and its kind of processor, old and new ones", async () => {
    const arch = process.arch === "x64" ? "amd64" : process.arch;
    for (const node of nodes) {
      const { metadata } = await cluster.read<{ metadata: { labels: Record<string, string> } }>(
        `node ${node}`,
      );
      const expected = {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": node,
        "kubernetes.io/os": "linux",
      };
      for (const [key, value] of Object.entries(expected))
        assert.equal(metadata.labels[key], value, key);
    }
    // Who knows where a node stands and what it is says so; nothing here does.
    const given = {
      "failure-domain.beta.kubernetes.io/region": "eu",
      "failure-domain.beta.kubernetes.io/zone": "eu-1",
      "beta.kubernetes.io/instance-type": "small",
    };
    const words = Object.entries(given).map(([key, value]) => `${key}=${value}`);
    await run(["label", "node", nodes[1], ...words]);
    const nodeSelector = { ...given, "beta.kubernetes.io/os": "linux" };
    await cluster.apply([waiting("zoned", { nodeSelector })]);
    assert.equal(await placed("zoned"), nodes[1]);
  });

  it("QK-28 each node has a range of 256 addresses for its Pods, which no other has", async () => {
    const ranges = (await run("get nodes -o jsonpath={.items[*].spec.podCIDR}")).split(" ");
    assert.equal(new Set(ranges).size, 2);
    for (const range of ranges) assert.match(range, /^10\.\d+\.\d+\.0\/24$/);
    assert.match(
      await run(`describe node ${nodes[1]}`),
      new RegExp(`^PodCIDR: +${ranges[1]}$`, "m"),
    );
  });

  it("Pods that must be spread evenly go to both nodes, whatever else is preferred, or wait", async () => {
    const constraint = {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "even" } },
    };
    const preference = nodeTerm("kubernetes.io/hostname", nodes[0]);
    const affinity = {
      nodeAffinity: {
        [`preferredDuringScheduling${IGNORED}`]: [{ weight: 100, preference }],
      },
    };
    const podSpec = { topologySpreadConstraints: [constraint], affinity };
    await cluster.apply([nginxDeployment("even", { replicas: 4, podSpec })]);
    const perNode = async (): Promise<string> => {
      const all = await nodesOfApp("even");
      return nodes.map((node) => all.filter((one) => one === node).length).join(" ");
    };
    await until("two on each", async () => (await perNode()) === "2 2");
    try {
      await run(`cordon ${nodes[1]}`);
      await run("scale deploy even --replicas=6");
      const { items } = await until("five have a node, one waits", async () => {
        const found = await cluster.read<Pods>("pods -l app=even");
        const has = found.items.filter(({ spec }) => spec.nodeName);
        return found.items.length === 6 && has.length === 5 && found;
      });
      assert.equal(await perNode(), "3 2");
      const left = items.find(({ spec }) => !spec.nodeName)!.metadata.name;
      assert.match(
        await refused(left),
        /^0\/2 nodes are available: 1 node\(s\) didn't match pod topology spread constraints, 1 node\(s\) were unschedulable\./,
      );
    } finally {
      await run(`uncordon ${nodes[1]}`);
    }
    await until("three on each", async () => (await perNode()) === "3 3");
    await run("delete deploy even");
  });

  it("a Pod of higher priority takes the room of a lower one, but not of one that a budget protects", async () => {
    for (const node of nodes) await giveSeats(node, 1);
    const seat = hungry("10m", { [SEAT]: "1" });
    const lasting = ["/bin/sh", "-c", "until test -e /tmp/go; do sleep 0.1; done"];
    const seated = (node: string, priorityClassName: string): object => ({
      priorityClassName,
      nodeSelector: { "kubernetes.io/hostname": node },
      containers: [{ ...seat, lifecycle: { preStop: { exec: { command: lasting } } } }],
    });
    const wants = (priorityClassName: string): object => ({
      priorityClassName,
      containers: [seat],
    });
    await cluster.apply([
      priorityClass("least", -10),
      priorityClass("low", -5),
      priorityClass("urgent", 1000),
      priorityClass("polite", 1000, { preemptionPolicy: "Never" }),
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "guarded" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } },
      },
      // Were it not for its budget it would be missed less.
      waiting("guarded", seated(nodes[0], "least")),
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { name: "spare" },
        spec: {
          selector: { matchLabels: { app: "spare" } },
          template: { metadata: { labels: { app: "spare" } }, spec: seated(nodes[1], "low") },
        },
      },
    ]);
    await run("wait --for=condition=Ready pod -l app=guarded --timeout=40s");
    await run("wait --for=condition=Ready pod -l app=spare --timeout=40s");
    const victim = (await cluster.read<Pods>("pods -l app=spare")).items[0]!.metadata.name;
    await cluster.apply([waiting("polite", wants("polite"))]);
    assert.match(await refused("polite"), /not eligible due to preemptionPolicy=Never\.$/);
    await run("delete pod polite");
    await cluster.apply([waiting("urgent", wants("urgent"))]);
    // While the victim leaves, the place is kept.
    const { metadata, spec } = await until("a node is kept for it", async () => {
      const pod = await cluster.read<PodStatus>("pod urgent");
      return pod.status.nominatedNodeName === nodes[1] && pod;
    });
    assert.equal(spec.priority, 1000);
    const leaving = await until("its victim is told why", async () => {
      const pod = await cluster.read<PodStatus>(`pod ${victim}`);
      return pod.metadata.deletionTimestamp && pod;
    });
    const target = leaving.status.conditions.find(({ type }) => type === "DisruptionTarget");
    assert.equal(target?.reason, "PreemptionByScheduler");
    const told = await until("an event says so", () =>
      run(`get events --field-selector involvedObject.name=${victim},reason=Preempted`),
    );
    assert.ok(told.includes(`Preempted by pod ${metadata.uid} on node ${nodes[1]}`), told);
    const [successor] = await until("its ReplicaSet makes another", async () => {
      const { items } = await cluster.read<Pods>("pods -l app=spare");
      const others = items.map((pod) => pod.metadata.name).filter((name) => name !== victim);
      return others.length === 1 && others;
    });
    await run(`exec ${victim} -- touch /tmp/go`);
    assert.equal(await placed("urgent"), nodes[1]);
    await refused(successor!);
    const guarded = await cluster.read<PodStatus>("pod guarded");
    assert.equal(guarded.metadata.deletionTimestamp, undefined);
    // Who was driven out comes back when there is room.
    await run("delete pod urgent");
    assert.equal(await placed(successor!), nodes[1]);
    await run("delete rs/spare pod/guarded pdb/guarded --force --wait=false");
  });

  it("a Pod names the profile that places it; one that names nobody's waits", async () => {
    for (const node of nodes) await giveSeats(node, 9);
    const containers = [hungry("10m", { [SEAT]: "1" })];
    const labels = { group: "packed" };
    const hostname = { "kubernetes.io/hostname": nodes[1] };
    await cluster.apply([waiting("anchor", { containers, nodeSelector: hostname }, labels)]);
    await placed("anchor");
    const schedulerName = "packing";
    await cluster.apply([
      waiting("stray", { containers, schedulerName: "nobody" }, labels),
      ...["packed-1", "packed-2", "packed-3"].map((name) =>
        waiting(name, { containers, schedulerName }, labels),
      ),
    ]);
    for (const name of ["packed-1", "packed-2", "packed-3"])
      assert.equal(await placed(name), nodes[1]);
    assert.match(await run("describe pod packed-3"), /Scheduled +\S+ +packing +Successfully/);
    const { status } = await cluster.read<PodStatus>("pod stray");
    assert.equal(status.conditions, undefined);
    await run("delete pods -l group=packed");
  });

  it("SC-11 a Pod of a node that fails is replaced by one on another node", async () => {
    const toleration = (key: string): object => ({
      key: `node.kubernetes.io/${key}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 1,
    });
    const podSpec = { tolerations: [toleration("unreachable"), toleration("not-ready")] };
    // On the second node, as long as there is room: the other is preferred less.
    const affinity = {
      nodeAffinity: {
        [`preferredDuringScheduling${IGNORED}`]: [
          { weight: 100, preference: nodeTerm("kubernetes.io/hostname", nodes[1]) },
        ],
      },
    };
    await cluster.apply([nginxDeployment("survivor", { podSpec: { ...podSpec, affinity } })]);
    await run("rollout status deploy/survivor --timeout=40s");
    assert.deepEqual(await nodesOfApp("survivor"), [nodes[1]]);
    cluster.signal(`agent-${nodes[1]}`, "SIGSTOP");
    try {
      await until(
        "a Pod of it runs on the other node",
        async () => {
          const lines = await run("get pods -l app=survivor -o wide --no-headers");
          return new RegExp(` Running .* ${nodes[0]} `).test(lines);
        },
        90_000,
      );
    } finally {
      cluster.signal(`agent-${nodes[1]}`, "SIGCONT");
    }
    await run(`wait --for=condition=Ready node/${nodes[1]} --timeout=40s`);
  });

  it("a gated Pod waits for its gates, and 'skiff why' says what a Pod waits for", async () => {
    await cluster.apply([
      waiting("gated", { schedulingGates: [{ name: "example.com/quota" }] }),
      waiting("puzzled", { nodeSelector: { planet: "mars" } }),
    ]);
    assert.match(await run("get pod gated --no-headers"), /\bSchedulingGated\b/);
    await refused("puzzled");
    const why = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await cluster.skiff("why", ...words);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.match(await why("pod/gated"), /scheduling gates are removed: example\.com\/quota/);
    const told = await why("pod/puzzled");
    assert.match(told, /It fits on none of 2 nodes/);
    assert.match(told, new RegExp(`kubectl label node ${nodes[0]} planet=mars`));
    const { nodes: explained } = JSON.parse(await why("pod/puzzled", "--output", "json")) as {
      nodes: { refusals: { plugin: string }[] }[];
    };
    assert.deepEqual(
      explained.map(({ refusals }) => refusals.map(({ plugin }) => plugin)),
      [["NodeAffinity"], ["NodeAffinity"]],
    );
    const body = JSON.stringify({ spec: { schedulingGates: null } });
    await run(["patch", "pod", "gated", "--type", "merge", "-p", body]);
    const node = await placed("gated");
    assert.match(await why("pod/gated"), new RegExp(`It is on ${node}`));
    assert.match(await why(`node/${node}`), /Ready is True/);
    assert.equal((await cluster.skiff("why", "pod/nobody")).code, 1);
  });

  it("'skiff why' says who refuses a Deployment's Pods, what one waits for, and why a Service has nobody", async () => {
    await run("create namespace tight");
    const template = {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "busybox:nowhere", imagePullPolicy: "Never" }] },
    };
    const selector = { matchLabels: { app: "web" } };
    const metadata = (name: string): object => ({ name, namespace: "tight" });
    await cluster.apply([
      {
        ...{ apiVersion: "v1", kind: "ResourceQuota", metadata: metadata("few") },
        spec: { hard: { pods: "1" } },
      },
      {
        ...{ apiVersion: "v1", kind: "Service", metadata: metadata("web") },
        spec: { selector: { app: "wbe" }, ports: [{ port: 80 }] },
      },
    ]);
    await run("wait --for=jsonpath={.status.hard.pods}=1 resourcequota/few -n tight --timeout=20s");
    await cluster.apply([
      {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: metadata("web") },
        spec: { replicas: 2, selector, template },
      },
    ]);
    const told = (object: string, what: RegExp): Promise<string> =>
      until(`${object}: ${what}`, async () => {
        const { stdout } = await cluster.skiff("why", object, "--namespace", "tight");
        return what.test(stdout) ? stdout : undefined;
      });
    const deployment = await told("deployment/web", /ErrImageNeverPull/);
    assert.match(deployment, /It has 1 of 2 Pods; 0 of them are ready/);
    assert.match(
      deployment,
      /exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1/,
    );
    assert.match(deployment, /a larger quota few .* pods: asks for 1, 1 of 1 is used/);
    const name = /pod\/(web-\S+):/.exec(deployment)![1]!;
    assert.match(await told(`pod/${name}`, /waits/), /busybox:nowhere is not on the node/);
    assert.match(await told("service/web", /no ready/), /comes nearest, but for app=wbe/);
  });
});

/** A container that asks for much of something; what is no cpu is limited as well. */
function hungry(cpu: string, limits: object = {}): object {
  return {
    name: "main",
    image: "busybox:1.29",
    command: ["/bin/sh", "-c", WAITING],
    resources: { requests: { cpu, ...limits }, limits },
  };
}

function priorityClass(name: string, value: number, more: object = {}): object {
  const head = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass" };
  return { ...head, metadata: { name }, value, ...more };
}
