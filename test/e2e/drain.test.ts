// A node that is emptied, and applications that go on answering: drains within budgets, rolling updates and back, selectors
// that switch between versions. Clients ask without pause; not one answer may be missing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, until, type TestCluster } from "../support/cluster.ts";
import { SteadyClient } from "../support/steady-client.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const PAGE = "/usr/share/nginx/html/index.html";

/** A careful application of two Pods whose page is its version, spread over the nodes. */
function site(name: string, version: string, labels: object = {}, replicas = 2): object {
  const app = nginxDeployment(name, {
    replicas,
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    container: {
      command: ["/bin/sh", "-c", `echo ${version} >${PAGE}; exec nginx -g "daemon off;"`],
      // Whoever was still being sent here is served while the word gets around that the Pod goes.
      lifecycle: { preStop: { exec: { command: ["/bin/sh", "-c", "sleep 2"] } } },
    },
    podSpec: {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { app: name } },
        },
      ],
    },
  }) as { metadata: object; spec: { template: { metadata: { labels: object } } } };
  Object.assign(app.spec.template.metadata.labels, labels);
  return app;
}

const budgetOf = (name: string, spec: object, version = "v1"): object => ({
  apiVersion: `policy/${version}`,
  kind: "PodDisruptionBudget",
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, ...spec },
});

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
  }[];
}

describe("nodes that are emptied and versions that change", () => {
  let cluster: TestCluster;
  let nodes: readonly string[];
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const rolledOut = (name: string): Promise<string> =>
    run(`rollout status deploy/${name} --timeout=60s`);
  const podsOn = async (node: string, app: string): Promise<readonly string[]> => {
    const { items } = await cluster.read<Pods>(`pods -l app=${app}`);
    return items.filter(({ spec }) => spec.nodeName === node).map(({ metadata }) => metadata.name);
  };
  const clientOf = async (service: string): Promise<SteadyClient> => {
    const port = await run(`get svc ${service} -o jsonpath={.spec.ports[0].nodePort}`);
    const client = new SteadyClient(`http://${await cluster.nodeIp()}:${port}/`);
    await until(`${service} answers`, () => client.ask());
    client.start();
    return client;
  };
  /** What the client was answered in between; none of it may be a failure. */
  const served = async (client: SteadyClient): Promise<readonly string[]> => {
    const { answers, failures } = await client.stop();
    assert.deepEqual(failures, [], `of ${answers.length + failures.length} requests`);
    return answers;
  };

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
    nodes = [`${cluster.name}-1`, `${cluster.name}-2`];
    const nodePort = { type: "NodePort" };
    await cluster.apply([
      site("web", "v1"),
      serviceOf("web", nodePort),
      budgetOf("web", { minAvailable: 1 }),
      site("blue", "blue", { shop: "yes", color: "blue" }),
      site("green", "green", { shop: "yes", color: "green" }),
      serviceOf("shop", { ...nodePort, selector: { shop: "yes", color: "blue" } }),
      budgetOf("guarded", { maxUnavailable: 0 }, "v1beta1"),
      shellPod("guarded", WAITING, { spec: { nodeName: nodes[1] } }),
    ]);
    for (const name of ["web", "blue", "green"]) await rolledOut(name);
    await run("wait pod/guarded --for=condition=Ready --timeout=30s");
  });
  after(() => cluster?.close());

  it("a budget shows what it allows", async () => {
    await until("the budget is counted", async () =>
      /^web +1 +N\/A +1 +\d+s/.test(await run("get pdb web --no-headers")),
    );
    assert.match(
      await run("get pdb"),
      /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE/,
    );
    const described = await run("describe pdb web");
    assert.match(described, /^Min available: +1$/m);
    assert.match(described, /Allowed disruptions: +1\n +Current: +2\n +Desired: +1\n +Total: +2/);
  });

  it("cordon keeps new Pods away and leaves those that are there; uncordon lets them come again", async () => {
    await run(`cordon ${nodes[0]}`);
    assert.match(
      await run("get nodes"),
      new RegExp(`^${nodes[0]} +Ready,SchedulingDisabled `, "m"),
    );
    const there = await podsOn(nodes[0]!, "web");
    await cluster.apply([
      nginxDeployment("late", { replicas: 2, podSpec: { terminationGracePeriodSeconds: 0 } }),
    ]);
    await rolledOut("late");
    assert.deepEqual(await podsOn(nodes[0]!, "late"), []);
    assert.deepEqual(await podsOn(nodes[0]!, "web"), there);
    assert.match(await run(`uncordon ${nodes[0]}`), /uncordoned/);
    assert.doesNotMatch(await run("get nodes"), /SchedulingDisabled/);
    await run("delete deploy late --wait=false");
  });

  it("drain waits for the budget, empties the node and fails no request; the last word is the budget's", async () => {
    const client = await clientOf("web");
    const flags = "--ignore-daemonsets --delete-emptydir-data --force";
    // In a pair of nodes each is emptied once, and the Pods end up where they began.
    for (const node of nodes.slice(0, 1)) {
      const drained = await run(`drain ${node} ${flags} --timeout=60s`);
      assert.match(drained, new RegExp(`node/${node} (evicted|drained)`));
      assert.deepEqual(await podsOn(node, "web"), []);
      await run(`uncordon ${node}`);
    }
    const refused = await cluster.tryKubectl(`drain ${nodes[1]} ${flags} --timeout=30s`);
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stderr,
      /error when evicting pods\/"guarded" .* Cannot evict pod as it would violate the pod's disruption budget\./,
    );
    assert.equal(await run("get pod guarded -o jsonpath={.status.phase}"), "Running");
    assert.deepEqual(await podsOn(nodes[1]!, "web"), []);
    await run("delete pdb guarded");
    assert.match(await run(`drain ${nodes[1]} ${flags} --timeout=60s`), /drained/);
    const left = await cluster.tryKubectl("get pod guarded");
    assert.match(left.stderr, /NotFound/);
    await run(`uncordon ${nodes[1]}`);
    await rolledOut("web");
    assert.ok((await served(client)).every((page) => page === "v1"));
  });

  it("a rolling update, and the way back, fail no request", async () => {
    const client = await clientOf("web");
    await cluster.apply([site("web", "v2")]);
    await rolledOut("web");
    await run("rollout undo deploy/web");
    await rolledOut("web");
    const pages = await served(client);
    const versions = pages.filter((page, index) => page !== pages[index - 1]);
    assert.equal(versions[0], "v1");
    assert.equal(pages.at(-1), "v1");
    assert.ok(pages.includes("v2"));
  });

  it("blue and green side by side: the selector moves all traffic, and back, and fails no request", async () => {
    const client = await clientOf("shop");
    const turnTo = async (color: string): Promise<void> => {
      const patch = { spec: { selector: { color } } };
      await run(["patch", "svc", "shop", "-p", JSON.stringify(patch)]);
      await until(`${color} answers`, () => client.last === color);
    };
    await turnTo("green");
    await turnTo("blue");
    // Both at once, one part of four new: a canary.
    await run("scale deploy/green --replicas=1");
    const before = client.count;
    await run(["patch", "svc", "shop", "--type=json", "-p", '[{"op":"remove","path":"/spec/selector/color"}]']); // prettier-ignore
    const changed = client.count;
    await until("both were asked", () => client.count > changed + 100);
    const pages = await served(client);
    const mixed = pages.slice(before);
    assert.ok(mixed.includes("blue") && mixed.includes("green"));
    const turns = pages.slice(0, before).filter((page, index) => page !== pages[index - 1]);
    assert.deepEqual(turns.slice(0, 2), ["blue", "green"]);
    assert.equal(pages[before - 1], "blue");
  });
});
