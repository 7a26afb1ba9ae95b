// Rolling updates seen step by step: their limits, what starts them, what they keep, and when a Pod counts.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

/** Serves its version once it is let: the start of a slow application, as long as the test wants it. */
const SLOW_SERVER =
  'trap exit TERM; mkdir /www; echo "$VERSION" >/www/index.html; ' +
  'test "$STARTS" = at-once || until test -e /tmp/go; do sleep 0.1; done; ' +
  "httpd -f -p 80 -h /www & wait";

interface ServerOptions {
  readonly replicas?: number;
  /** It serves only when `/tmp/go` is there. */
  readonly isHeld?: boolean;
  readonly isProbed?: boolean;
  readonly spec?: object;
}

/** A Deployment of the slow server; `isProbed`: its Pods are ready once it answers. */
function server(name: string, version: string, options: ServerOptions = {}): object {
  const { replicas = 1, isHeld = false, isProbed = true, spec = {} } = options;
  const probe = { httpGet: { path: "/", port: 80 }, periodSeconds: 1 };
  return nginxDeployment(name, {
    replicas,
    image: "busybox:1.29",
    spec,
    container: {
      command: ["/bin/sh", "-c", SLOW_SERVER],
      env: [
        { name: "VERSION", value: version },
        { name: "STARTS", value: isHeld ? "when-let" : "at-once" },
      ],
      ...(isProbed ? { readinessProbe: probe } : { readinessProbe: null, lifecycle: null }),
    },
  });
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly containers: { readonly env: { readonly value: string }[] }[] };
  }[];
}

/** The scale steps that a text tells, in its order. */
function stepsIn(text: string): { readonly set: string; readonly to: number }[] {
  const told = text.matchAll(/Scaled (?:up|down) replica set (\S+) from \d+ to (\d+)/g);
  return [...told].map(([, set, to]) => ({ set: set!, to: Number(to) }));
}

describe("rolling updates, step by step", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const rolledOut = (name: string): Promise<string> =>
    run(`rollout status deploy/${name} --timeout=40s`);
  const row = (name: string): Promise<string> => run(`get deploy ${name} --no-headers`);
  const setsOf = async (name: string): Promise<string[]> =>
    (await run(`get rs -l app=${name} -o name`)).split("\n").filter((line) => line !== "");
  const nodePort = (name: string): Promise<string> =>
    run(`get svc ${name} -o jsonpath={.spec.ports[0].nodePort}`);
  const answer = async (port: string): Promise<string> => {
    const signal = AbortSignal.timeout(5000);
    const page = await fetch(`http://${await address}:${port}/`, { signal });
    return (await page.text()).trim();
  };
  let address: Promise<string>;
  /** Lets the Pod of this version serve; it must run. */
  const letServe = async (name: string, version: string): Promise<void> => {
    const pods = await cluster.read<Pods>(`pods -l app=${name}`);
    const pod = pods.items.find(({ spec }) => spec.containers[0]!.env[0]!.value === version);
    await run(`exec ${pod!.metadata.name} -- touch /tmp/go`);
  };

  before(async () => {
    cluster = await startCluster();
    address = cluster.nodeIp();
    const oneByOne = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await cluster.apply([
      nginxDeployment("stepwise", { replicas: 5, strategy: oneByOne }),
      {
        ...nginxDeployment("defaulted"),
        metadata: { name: "defaulted", labels: { team: "web" } },
      },
      nginxDeployment("surging", {
        replicas: 2,
        strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
      }),
      nginxDeployment("forgetful", { spec: { revisionHistoryLimit: 1 } }),
      server("shown", "v1"),
      serviceOf("shown", { type: "NodePort" }),
      server("careless", "v1", { isProbed: false }),
      serviceOf("careless", { type: "NodePort" }),
    ]);
  });
  after(() => cluster?.close());

  it("DE-28 PR-42 minReadySeconds: a ready Pod counts as available, and the rollout as done, only after it", async () => {
    const watch = cluster.startKubectl("get deploy -w -l watched=yes --no-headers");
    const settling = nginxDeployment("settling", { spec: { minReadySeconds: 4 } });
    await cluster.apply([
      { ...settling, metadata: { name: "settling", labels: { watched: "yes" } } },
    ]);
    assert.match(await rolledOut("settling"), /successfully rolled out/);
    assert.match(await row("settling"), /^settling +1\/1 +1 +1 /);
    await until("all rows came", () => /^settling +1\/1 +1 +1 /m.test(watch.output()));
    await watch.end();
    assert.match(watch.output(), /^settling +1\/1 +1 +0 /m);
    const since = async (object: string, type: string): Promise<number> =>
      Date.parse(
        await run([
          ...["get", ...object.split(" "), "-o"],
          `jsonpath={..status.conditions[?(@.type=="${type}")].lastTransitionTime}`,
        ]),
      );
    const readyAt = await since("pods -l app=settling", "Ready");
    // times of the API are cut to whole seconds
    const settledMs = (await since("deploy settling", "Available")) - readyAt;
    assert.ok(settledMs >= 4000, `${settledMs} ms`);
  });

  it("DE-07 get all shows the Deployment, its ReplicaSet and its Pod, wished and current the same", async () => {
    await rolledOut("defaulted");
    const all = await run("get all -l app=defaulted");
    assert.match(all, /^replicaset\.apps\/defaulted-\S+ +1 +1 +1 +\d+s$/m);
    assert.match(all, /^pod\/defaulted-\S+ +1\/1 +Running +0 /m);
    assert.match(await run("get all"), /^deployment\.apps\/defaulted +1\/1 +1 +1 +\S+$/m);
  });

  it("DE-11 without a strategy it is a rolling update of a quarter", async () => {
    const text = await run("describe deploy defaulted");
    assert.match(text, /^StrategyType: +RollingUpdate$/m);
    assert.match(text, /^RollingUpdateStrategy: +25% max unavailable, 25% max surge$/m);
  });

  it("DE-06 labels of the Deployment are its own, and those of its Pods theirs", async () => {
    await rolledOut("defaulted");
    assert.equal(await run("get deploy -l team=web -o name"), "deployment.apps/defaulted\n");
    assert.equal(await run("get pods,rs -l team=web -o name"), "");
    assert.match(await run("get pods -l app=defaulted --show-labels"), / app=defaulted,pod-temp/);
  });

  it("DE-12 five replicas, one more at most: new to 1, old to 4, new to 2, … old to 0", async () => {
    await rolledOut("stepwise");
    // a watch, because many events of one object are combined into one
    const told = cluster.startKubectl(
      "get events -w --no-headers --field-selector involvedObject.name=stepwise",
    );
    await until("it watches", () => stepsIn(told.output()).length === 1);
    await run("set image deploy/stepwise nginx=nginx:1.25");
    await rolledOut("stepwise");
    const made = await until("all steps are told", () => {
      const steps = stepsIn(told.output()).slice(1);
      return steps.length >= 10 && steps;
    }).finally(() => told.end());
    const [next, old] = [made[0]!.set, made[1]!.set];
    assert.notEqual(next, old);
    assert.deepEqual(
      made,
      [1, 2, 3, 4, 5].flatMap((count) => [
        { set: next, to: count },
        { set: old, to: 5 - count },
      ]),
    );
  });

  it("DE-13 maxSurge lets that many Pods above the wished number come at once", async () => {
    await rolledOut("surging");
    const before = stepsIn(await run("describe deploy surging")).length;
    await run("set image deploy/surging nginx=nowhere:1");
    await until("the new Pods are there", async () =>
      /^surging +2\/2 +2 +2 /.test(await row("surging")),
    );
    const [first] = stepsIn(await run("describe deploy surging")).slice(before);
    assert.equal(first?.to, 2);
    assert.equal((await run("get pods -l app=surging -o name")).trim().split("\n").length, 4);
  });

  it("DE-29 while a second Pod starts, the row says 1/2 2 1", async () => {
    await cluster.apply([server("pairing", "v1")]);
    await rolledOut("pairing");
    const watch = cluster.startKubectl("get deploy pairing -w --no-headers");
    await until("it watches", () => /^pairing +1\/1 /.test(watch.output()));
    await run("scale deploy pairing --replicas=2");
    await rolledOut("pairing");
    assert.match(await row("pairing"), /^pairing +2\/2 +2 +2 /);
    await until("one of two", () => /^pairing +1\/2 +2 +1 /m.test(watch.output()));
    await watch.end();
  });

  it("DE-18 DE-25 edit, replace and apply start a rollout when the template changed, and only then; the limit is what is kept", async () => {
    await rolledOut("forgetful");
    const [first] = await setsOf("forgetful");
    const editor = "sed -i -e /DeadlineSeconds/s/600/601/";
    await cluster.kubectl("edit deploy forgetful", { env: { EDITOR: editor } });
    await rolledOut("forgetful");
    assert.deepEqual(await setsOf("forgetful"), [first]);
    await run(["patch", "deploy/forgetful", "-p", '{"spec":{"revisionHistoryLimit":2}}']);
    const changing = "sed -i -e s/nginx:1.14/nginx:1.25/";
    await cluster.kubectl("edit deploy forgetful", { env: { EDITOR: changing } });
    await rolledOut("forgetful");
    assert.equal((await setsOf("forgetful")).length, 2, "edit");
    // without the version: a status may be written in between
    const live = (await run("get deploy forgetful -o json")).replace(
      /"resourceVersion": "\d+",/,
      "",
    );
    const stdin = live.replaceAll("nginx:1.25", "nginx:alpine");
    await cluster.kubectl("replace -f -", { stdin });
    await rolledOut("forgetful");
    assert.equal((await setsOf("forgetful")).length, 3, "replace");
    await cluster.apply([
      nginxDeployment("forgetful", { image: "nginx:1.16", spec: { revisionHistoryLimit: 2 } }),
    ]);
    await rolledOut("forgetful");
    assert.match(await run("get deploy forgetful -o wide"), / nginx:1\.16 /);

    // revisionHistoryLimit is how many old ones are kept
    await until("two old ones", async () => (await setsOf("forgetful")).length === 3);
    await run(["patch", "deploy/forgetful", "-p", '{"spec":{"revisionHistoryLimit":1}}']);
    await until("one old one", async () => (await setsOf("forgetful")).length === 2);
    const history = await run("rollout history deploy/forgetful");
    assert.match(history, /^REVISION +CHANGE-CAUSE\n3 +\S+\n4 +\S+\n+$/m);
    const { code } = await cluster.tryKubectl("rollout undo deploy/forgetful --to-revision=1");
    assert.equal(code, 1);
  });

  it("DE-32 PR-25 each version applied takes over when it is ready: the old one is ended, its answer stays until then", async () => {
    const port = await nodePort("shown");
    const file = join(cluster.home, "shown.json");
    for (const version of ["v2", "v3"]) {
      const before = (await answer(port)) || "";
      writeFileSync(file, JSON.stringify(server("shown", version, { isHeld: true })));
      assert.match(await run(`apply -f ${file}`), /shown configured/);
      const pods = await until("the new one runs", async () => {
        const rows = await run("get pods -l app=shown --no-headers");
        return /0\/1 +Running/.test(rows) && rows;
      });
      assert.match(pods, /1\/1 +Running/, "the old one is not ended");
      assert.equal(await answer(port), before, "the old one answers until the new one is ready");
      await letServe("shown", version);
      await rolledOut("shown");
      await until(`${version} answers alone`, async () => (await answer(port)) === version);
      assert.match(await run("get pods -l app=shown --no-headers"), / (Terminating|Running) /);
    }
  });

  it("DE-31 without a readiness probe traffic goes to a Pod that does not serve yet", async () => {
    await rolledOut("careless");
    const port = await nodePort("careless");
    await until("v1 answers", async () => (await answer(port)) === "v1");
    await cluster.apply([server("careless", "v2", { isProbed: false, isHeld: true })]);
    await rolledOut("careless");
    // A connection to the old Pod may be reset meanwhile; that of the new one is refused.
    await until("a refused request", () =>
      answer(port).then(
        () => false,
        ({ cause }: Error) => /ECONNREFUSED/.test(String(cause)),
      ),
    );
    await letServe("careless", "v2");
    await until("it serves at last", async () => (await answer(port)) === "v2");
  });

  it("DE-38 the nginx-deployment sample: three copies of 1.14.2, updated to 1.16", async () => {
    const sample = (image: string): object =>
      nginxDeployment("nginx-deployment", {
        replicas: 3,
        image,
        container: { env: [{ name: "DEMO_GREETING", value: "Hello" }] },
        podSpec: { imagePullSecrets: [{ name: "regcred" }] },
      });
    await cluster.apply([sample("nginx:1.14.2")]);
    await rolledOut("nginx-deployment");
    assert.match(await row("nginx-deployment"), /^nginx-deployment +3\/3 +3 +3 /);
    await cluster.apply([sample("nginx:1.16")]);
    await rolledOut("nginx-deployment");
    const running = await run(
      "get pods -l app=nginx-deployment --field-selector=status.phase=Running -o jsonpath={.items[*].spec.containers[0].image}",
    );
    assert.ok(running.includes("nginx:1.16"));
    assert.match(await run("get deploy nginx-deployment -o wide"), / nginx:1\.16 /);
  });

  it("DE-33 a database's copies share one volume: a Deployment has no template for a volume each", async () => {
    const database = (spec: object): object =>
      nginxDeployment("database", {
        replicas: 2,
        image: "busybox:1.29",
        spec,
        podSpec: {
          terminationGracePeriodSeconds: 1,
          volumes: [
            {
              name: "data",
              hostPath: { path: join(cluster.home, "database"), type: "DirectoryOrCreate" },
            },
          ],
        },
        container: {
          command: ["/bin/sh", "-c", `hostname >>/data/rows; ${WAITING}`],
          volumeMounts: [{ name: "data", mountPath: "/data" }],
          readinessProbe: null,
          lifecycle: null,
        },
      });
    const claims = { volumeClaimTemplates: [{ metadata: { name: "data" } }] };
    const stdin = JSON.stringify(database(claims));
    const refused = await cluster.tryKubectl("create -f -", { stdin });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /unknown field "spec\.volumeClaimTemplates"/);
    await cluster.apply([database({})]);
    await rolledOut("database");
    const copies = async (): Promise<string[]> =>
      (await run("get pods -l app=database -o jsonpath={.items[*].metadata.name}")).split(" ");
    const rows = async (copy: string): Promise<string[]> =>
      (await run(`exec ${copy} -- cat /data/rows`)).trim().split("\n").sort();
    const first = (await copies()).sort();
    for (const copy of first)
      await until("what each wrote", async () => (await rows(copy)).join() === first.join());
    // what they wrote outlives them
    await run("delete pods -l app=database");
    await rolledOut("database");
    const [later] = await copies();
    assert.ok(!first.includes(later!));
    for (const copy of first) assert.ok((await rows(later!)).includes(copy), copy);
  });

  it("DE-37 a script with a service account's token deploys, waits, and sees three of each", async () => {
    await run("create serviceaccount travis");
    await run("create rolebinding travis --clusterrole=edit --serviceaccount=default:travis");
    const config = JSON.parse(await run("config view --raw -o json")) as {
      users: readonly { readonly name: string }[];
    };
    const token = (await run("create token travis")).trim();
    const users = config.users.map(({ name }) => ({ name, user: { token } }));
    const kubeconfig = join(cluster.home, "travis.json");
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users }));
    const travis = (line: string): Promise<string> =>
      cluster.kubectl(line, { env: { KUBECONFIG: kubeconfig } });
    const file = join(cluster.home, "my-app.json");
    writeFileSync(file, JSON.stringify(nginxDeployment("my-app", { replicas: 3 })));
    assert.equal(await travis(`apply -f ${file}`), "deployment.apps/my-app created\n");
    assert.match(await travis("rollout status deploy/my-app --timeout=40s"), /successfully/);
    assert.match(
      await travis("get deployment my-app"),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE *\nmy-app +3\/3 +3 +3 +\d+s\n$/,
    );
  });

  it("RS-14 a ReplicationController behind a Service is a default back end, as the old ingress add-on made it", async () => {
    const name = "default-http-backend";
    const labels = { app: name };
    const page =
      'location / { return 404 "default backend - 404"; } location /healthz { return 200; }';
    const script = `echo '$0' >/etc/nginx/conf.d/default.conf; exec nginx -g "daemon off;"`;
    const container = {
      name,
      image: "nginx:1.14",
      command: ["/bin/sh", "-c", script.replace("$0", `server { listen 8080; ${page} }`)],
      ports: [{ containerPort: 8080 }],
      livenessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
      readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
    };
    const metadata = { name, namespace: "kube-system", labels };
    const spec = { type: "NodePort", selector: labels, ports: [{ port: 80, targetPort: 8080 }] };
    const template = {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    };
    await cluster.apply([
      { apiVersion: "v1", kind: "Service", metadata, spec },
      {
        apiVersion: "v1",
        kind: "ReplicationController",
        metadata,
        spec: { replicas: 1, selector: labels, template },
      },
    ]);
    const port = await run(`get svc ${name} -n kube-system -o jsonpath={.spec.ports[0].nodePort}`);
    const ask = async (): Promise<string> => {
      const signal = AbortSignal.timeout(5000);
      const answer = await fetch(`http://${await address}:${port}/unmapped`, { signal });
      return `${answer.status} ${await answer.text()}`;
    };
    const expected = "404 default backend - 404";
    await until("it answers", async () => (await ask()) === expected);
    const old = await run(`get pods -n kube-system -l app=${name} -o name`);
    await run(`delete -n kube-system ${old.trim()}`);
    await until("another answers", async () => (await ask()) === expected);
    assert.notEqual(await run(`get pods -n kube-system -l app=${name} -o name`), old);
    assert.match(await run("get rc -n kube-system"), /^default-http-backend +1 +1 +1 /m);
  });

  it("RS-09 a ReplicaSet may have any number of Pods", async () => {
    const many = shellPod("many", "true", { spec: { nodeSelector: { size: "huge" } } }) as {
      readonly spec: object;
    };
    await cluster.apply([
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { name: "many" },
        spec: {
          replicas: 600,
          selector: { matchLabels: { app: "many" } },
          template: {
            metadata: { labels: { app: "many" } },
            spec: { ...many.spec, nodeSelector: { size: "huge" } },
          },
        },
      },
    ]);
    await until("all are there", async () =>
      /^many +600 +600 +0 /.test(await run("get rs many --no-headers")),
    );
    const pods = await run("get pods -l app=many --no-headers -o name");
    assert.equal(pods.trim().split("\n").length, 600);
    await run("delete rs many");
  });
});
