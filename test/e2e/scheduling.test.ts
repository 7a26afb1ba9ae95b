// Where Pods go: by room, labels, affinity, taints and priority, on two nodes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, shellPod, WAITING } from "../support/sample-apps.ts";

const IGNORED = "IgnoredDuringExecution";

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly nodeName?: string };
  }[];
}

interface PodStatus {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly conditions: readonly { readonly reason?: string; readonly message?: string }[];
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
  const nodesOfApp = async (app: string): Promise<readonly string[]> =>
    (await cluster.read<Pods>(`pods -l app=${app}`)).items.map(({ spec }) => spec.nodeName ?? "");

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
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
    const { processes } = JSON.parse(
      (await cluster.skiff("status", "--output", "json")).stdout,
    ) as {
      processes: Readonly<Record<string, number>>;
    };
    const agent = processes[`agent-${nodes[1]}`]!;
    process.kill(agent, "SIGSTOP");
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
      process.kill(agent, "SIGCONT");
    }
    await run(`wait --for=condition=Ready node/${nodes[1]} --timeout=40s`);
  });

  it("a Pod of higher priority takes the host port of one of lower", async () => {
    const holding = (name: string, more: object): object => {
      const ports = [{ containerPort: 80, hostPort: 18_123 }];
      const containers = [{ ...hungry("10m"), ports }];
      const nodeSelector = { "kubernetes.io/hostname": nodes[0] };
      return waiting(name, { containers, nodeSelector, ...more });
    };
    const urgent = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", value: 1000 };
    await cluster.apply([{ ...urgent, metadata: { name: "urgent" } }, holding("meek", {})]);
    assert.equal(await placed("meek"), nodes[0]);
    await cluster.apply([holding("bold", { priorityClassName: "urgent" })]);
    assert.equal(await placed("bold"), nodes[0]);
    const events = await run(
      "get events --field-selector reason=Preempted,involvedObject.name=meek",
    );
    assert.match(events, /Preempted by pod \S+ on node/);
    assert.match((await cluster.tryKubectl("get pod meek")).stderr, /NotFound/);
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

function hungry(cpu: string): object {
  return {
    name: "main",
    image: "busybox:1.29",
    command: ["/bin/sh", "-c", WAITING],
    resources: { requests: { cpu } },
  };
}
