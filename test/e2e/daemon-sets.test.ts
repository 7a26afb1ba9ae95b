// DaemonSets: one Pod on each node that is meant, nodes that come and change, and updates node by node.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { WAITING } from "../support/sample-apps.ts";

/** A DaemonSet of busybox; its version is the first variable of its container. */
function daemons(
  name: string,
  options: { readonly spec?: object; readonly pod?: object; readonly container?: object } = {},
): object {
  const main = {
    name: "main",
    image: "busybox:1.29",
    command: ["/bin/sh", "-c", WAITING],
    env: [{ name: "VERSION", value: "v1" }],
    ...options.container,
  };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      ...options.spec,
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [main], ...options.pod },
      },
    },
  };
}

describe("DaemonSets", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const row = async (name: string): Promise<string> =>
    (await run(`get ds ${name} --no-headers`)).trim().replaceAll(/ +/g, " ");
  const shows = (name: string, counts: string): Promise<unknown> =>
    until(`${name} shows ${counts}`, async () =>
      (await row(name)).startsWith(`${name} ${counts} `),
    );
  const rolledOut = (name: string): Promise<string> =>
    run(`rollout status ds/${name} --timeout=40s`);
  /** `node-1=v1 node-2=v1`: which version runs on which node, by the node's name. */
  const versions = async (name: string): Promise<string> => {
    const each = "{.spec.nodeName}={.spec.containers[0].env[0].value} ";
    const path = `jsonpath={range .items[*]}${each}{end}`;
    const text = await run(["get", "pods", "-l", `app=${name}`, "-o", path]);
    return text.trim().split(" ").sort().join(" ");
  };
  let first: string;
  let second: string;

  before(async () => {
    cluster = await startCluster(["busybox"]);
    [first, second] = [`${cluster.name}-1`, `${cluster.name}-2`];
  });
  after(() => cluster?.close());

  it("DS-01 DS-02 DS-04 a set has one Pod on each node, also on one that joins", async () => {
    const file = join(cluster.home, "node-agent.yaml");
    const beside = { name: "beside", image: "busybox:1.29", command: ["/bin/sh", "-c", WAITING] };
    const set = daemons("node-agent") as {
      spec: { template: { spec: { containers: object[] } } };
    };
    set.spec.template.spec.containers.push(beside);
    writeFileSync(file, JSON.stringify(set));
    assert.equal(await run(`create -f ${file}`), "daemonset.apps/node-agent created\n");
    await shows("node-agent", "1 1 1 1 1 <none>");
    assert.match(await run("get pods -l app=node-agent"), /^node-agent-\w{5} +2\/2 +Running +0 /m);
    const grown = await cluster.skiff("start", "--nodes", "2", "--kubeconfig", cluster.kubeconfig);
    assert.equal(grown.code, 0, grown.stderr);
    await shows("node-agent", "2 2 2 2 2 <none>");
    assert.equal(await versions("node-agent"), `${first}=v1 ${second}=v1`);
    const all = await run("get all -l app=node-agent");
    assert.match(all, /^pod\/node-agent-\w{5} /m);
    assert.match(await run("get all"), /^daemonset\.apps\/node-agent +2 +2 +2 +2 +2 /m);
    assert.match(
      await run("get ds node-agent -o wide"),
      / main,beside +busybox:1\.29,busybox:1\.29 +app=node-agent\n/,
    );
    assert.match(
      await run("describe ds node-agent"),
      /SuccessfulCreate .*Created pod: node-agent-/,
    );
    await run("delete ds node-agent");
    await until("its Pods are gone", async () => (await versions("node-agent")) === "");
  });

  it("DS-03 a log collector on each node reads that node's logs", async () => {
    const volumes = [{ name: "logs", hostPath: { path: "/var/log" } }];
    const volumeMounts = [{ name: "logs", mountPath: "/var/log", readOnly: true }];
    await cluster.apply([
      daemons("collector", {
        pod: { volumes, tolerations: [{ operator: "Exists" }] },
        container: { volumeMounts, command: ["/bin/sh", "-c", `echo collected; ${WAITING}`] },
      }),
    ]);
    await shows("collector", "2 2 2 2 2");
    const names = (await run("get pods -l app=collector -o name")).trim().split("\n");
    const [one, other] = names.map((name) => name.replace("pod/", "")) as [string, string];
    const read = (name: string): Promise<string> =>
      run([
        "exec",
        name,
        "--",
        "/bin/sh",
        "-c",
        "tail -n 1 /var/log/pods/*_collector-*/main/0.log",
      ]);
    assert.match(await read(one), /collected/);
    const files = await run(`exec ${one} -- ls /var/log/pods`);
    assert.ok(files.includes(one) && !files.includes(other), files);
    await run("delete ds collector");
  });

  it("DS-05 DS-07 DS-08 an update goes node by node, and each old Pod has ended before the new one comes", async () => {
    const ports = [{ containerPort: 80, hostPort: 9100 }];
    await cluster.apply([daemons("exporter", { container: { ports } })]);
    await shows("exporter", "2 2 2 2 2");
    const strategy =
      "jsonpath={.spec.updateStrategy.type} {.spec.updateStrategy.rollingUpdate.maxUnavailable}";
    assert.equal(await run(["get", "ds", "exporter", "-o", strategy]), "RollingUpdate 1");
    const watch = cluster.startKubectl(
      "get pods -w -l app=exporter --no-headers --output-watch-events",
    );
    const tellings = (): RegExpMatchArray[] => [
      ...watch.output().matchAll(/^(ADDED|MODIFIED|DELETED) +(\S+) +(\S+) +(\S+)/gm),
    ];
    await until("it watches", () => tellings().length === 2);
    await run("set env ds/exporter VERSION=v2");
    await rolledOut("exporter");
    assert.equal(await versions("exporter"), `${first}=v2 ${second}=v2`);
    const isGone = ([, what]: RegExpMatchArray): boolean => what === "DELETED";
    await until("all is told", () => tellings().filter(isGone).length === 2);
    await watch.end();
    const told = tellings();
    const living = new Set<string>();
    const beside: number[] = [];
    for (const [, what, name, , state] of told) {
      const hasEnded = what === "DELETED" || state === "Completed" || state === "Error";
      if (what === "ADDED") beside.push(living.size);
      if (hasEnded) living.delete(name!);
      else living.add(name!);
    }
    // when a new one came, only the one on the other node was left
    assert.deepEqual(beside, [0, 1, 1, 1], watch.output());
    // the second was asked to end only when the first new one was ready
    const [, , fresh] = told.filter(([, what]) => what === "ADDED").map(([, , name]) => name);
    const ready = told.findIndex(([, , name, state]) => name === fresh && state === "1/1");
    const last = told.findLast(isGone)![2];
    const ending = told.findIndex(([, what, name]) => what !== "ADDED" && name === last);
    assert.ok(ready >= 0 && ready < ending, watch.output());
    await run("delete ds exporter");
  });

  it("DS-06 DS-10 OnDelete, the default of the first API: a Pod is updated when it is deleted by hand", async () => {
    const { apiVersion: _, ...old } = daemons("manual") as { apiVersion: string };
    await cluster.apply([{ apiVersion: "extensions/v1beta1", ...old }]);
    await shows("manual", "2 2 2 2 2");
    const strategy = "jsonpath={.spec.updateStrategy.type}";
    assert.equal(await run(["get", "ds", "manual", "-o", strategy]), "OnDelete");
    await run("set env ds/manual VERSION=v2");
    await shows("manual", "2 2 2 0 2");
    assert.equal(await versions("manual"), `${first}=v1 ${second}=v1`);
    const [name] = (
      await run(`get pods -l app=manual --field-selector spec.nodeName=${second} -o name`)
    ).split("\n");
    await run(`delete ${name}`);
    await shows("manual", "2 2 2 1 2");
    assert.equal(await versions("manual"), `${first}=v1 ${second}=v2`);
    await run(["patch", "ds/manual", "-p", '{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}']);
    await rolledOut("manual");
    assert.equal(await versions("manual"), `${first}=v2 ${second}=v2`);
    await run("delete ds manual");
  });

  it("DS-09 KC-89 rollout status, history, undo and restart; neither pause nor resume", async () => {
    await cluster.apply([daemons("rolled")]);
    await shows("rolled", "2 2 2 2 2");
    await run("set env ds/rolled VERSION=v2");
    assert.match(await rolledOut("rolled"), /daemon set "rolled" successfully rolled out\n$/);
    assert.match(await run("rollout history ds/rolled"), /^1 +<none>\n2 +<none>$/m);
    assert.match(await run("rollout history ds/rolled --revision=1"), /VERSION:\s+v1/);
    assert.equal(await run("rollout undo ds/rolled"), "daemonset.apps/rolled rolled back\n");
    await rolledOut("rolled");
    assert.equal(await versions("rolled"), `${first}=v1 ${second}=v1`);
    assert.match(await run("rollout history ds/rolled"), /^2 +<none>\n3 +<none>$/m);
    const { stderr } = await cluster.tryKubectl("rollout pause ds/rolled");
    assert.match(stderr, /daemonsets\.apps "rolled" pausing is not supported/);
    const resumed = await cluster.tryKubectl("rollout resume ds/rolled");
    assert.match(resumed.stderr, /daemonsets\.apps "rolled" resuming is not supported/);
    assert.equal(await run("rollout restart ds/rolled"), "daemonset.apps/rolled restarted\n");
    await rolledOut("rolled");
    await run("delete ds rolled");
  });

  it("DS-11 only nodes with the labels that the template asks for have a Pod", async () => {
    await cluster.apply([daemons("picky", { pod: { nodeSelector: { disk: "ssd" } } })]);
    await shows("picky", "0 0 0 0 0 disk=ssd");
    await run(`label node ${second} disk=ssd`);
    await shows("picky", "1 1 1 1 1 disk=ssd");
    assert.equal(await versions("picky"), `${second}=v1`);
    await run(`cordon ${second}`);
    await run("delete pods -l app=picky --wait=false");
    await until("a daemon comes on a node that takes no other Pods", async () => {
      const pods = await run("get pods -l app=picky --no-headers");
      return / Running /.test(pods) && !/ Terminating /.test(pods);
    });
    await run(`uncordon ${second}`);
    await run(`label node ${second} disk-`);
    await shows("picky", "0 0 0 0 0 disk=ssd");
    await until("its Pod is gone", async () => (await versions("picky")) === "");
    await run("delete ds picky");
  });

  it("QK-22 a strategy with a small letter is refused, for both kinds", async () => {
    const spec = { updateStrategy: { type: "rollingUpdate" } };
    const refused = await cluster.tryKubectl("create -f -", {
      stdin: JSON.stringify(daemons("small", { spec })),
    });
    assert.match(
      refused.stderr,
      /spec\.updateStrategy: Unsupported value: .*"OnDelete", "RollingUpdate"/,
    );
    const set = daemons("small", { spec }) as object;
    const other = await cluster.tryKubectl("create -f -", {
      stdin: JSON.stringify({ ...set, kind: "StatefulSet" }),
    });
    assert.match(
      other.stderr,
      /spec\.updateStrategy: Invalid value: .*must be 'RollingUpdate' or 'OnDelete'/,
    );
  });
});
