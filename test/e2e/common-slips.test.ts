// What holds where manifests and texts about Kubernetes often slip: mixed-up names and numbers, fields at the wrong place, and
// beliefs about who does what.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Finished, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

/** Leaves with an error the first time, and waits the second time. */
const FAILS_ONCE = `test -e /work/seen && { ${WAITING}; }; touch /work/seen; exit 1`;

/** Answers `/399` and `/400` with that status. */
const ANSWERING =
  'for code in 399 400; do echo "location /$code { return $code; }"; done >/tmp/l; ' +
  'echo "server { listen 80; $(cat /tmp/l) }" >/etc/nginx/conf.d/default.conf; ' +
  "exec nginx -g 'daemon off;'";

/** A Pod that no scheduler looks at, with the resources of its containers. */
function resting(name: string, ...resources: readonly object[]): object {
  const containers = resources.map((own, index) => ({
    name: `c${index}`,
    image: "busybox:1.29",
    resources: own,
  }));
  const spec = { schedulerName: "nobody", containers };
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

/** A Deployment of busybox that waits, with labels of its own. */
function waitingDeployment(name: string, spec: object = {}, labels: object = {}): object {
  const container = { command: ["/bin/sh", "-c", WAITING], readinessProbe: null, lifecycle: null };
  const podSpec = { terminationGracePeriodSeconds: 1 };
  const deployment = nginxDeployment(name, { image: "busybox:1.29", container, podSpec, spec });
  return { ...deployment, metadata: { name, labels } };
}

interface PodView {
  readonly metadata: { readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly ready: boolean;
      readonly state: { readonly waiting?: { readonly message?: string } };
      readonly lastState?: { readonly terminated?: { readonly message?: string } };
    }[];
  };
}

describe("common slips", { concurrency: 4 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[], stdin?: string): Promise<string> =>
    cluster.kubectl(line, stdin === undefined ? {} : { stdin });
  /** What kubectl says when it fails, which it must. */
  const refused = async (line: string, stdin?: string): Promise<string> => {
    const done: Finished = await cluster.tryKubectl(line, stdin === undefined ? {} : { stdin });
    assert.notEqual(done.code, 0, `${line}: ${done.stdout}`);
    return done.stderr;
  };
  const file = (name: string, text: string | object): string => {
    const path = join(cluster.home, name);
    writeFileSync(path, typeof text === "string" ? text : JSON.stringify(text));
    return path;
  };
  const pod = (name: string): Promise<PodView> => cluster.read<PodView>(`pod ${name}`);
  const ready = (name: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${name} --timeout=40s`);
  const inside = (name: string, script: string): Promise<string> =>
    run(["exec", name, "--", "/bin/sh", "-c", script]);
  const eventsOf = (name: string): Promise<string> =>
    run(`get events --field-selector involvedObject.name=${name}`);
  const told = (name: string, what: RegExp): Promise<unknown> =>
    until(`${name} is told ${what.source}`, async () => what.test(await eventsOf(name)));

  before(async () => {
    cluster = await startCluster();
    await cluster.apply([
      shellPod("asker", WAITING),
      serviceOf("nginx", { ports: [{ port: 8080, targetPort: 80 }] }, "sample-service"),
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "sample-pod" },
        spec: { containers: [{ name: "nginx", image: "nginx:1.14" }] },
      },
    ]);
  });
  after(() => cluster?.close());

  it("QK-01 a Service whose selector no Pod matches answers nobody, until a Pod is given the label", async () => {
    await Promise.all([ready("asker"), ready("sample-pod")]);
    assert.match(
      await run("get endpoints sample-service --no-headers"),
      /^sample-service +<none> /,
    );
    const ip = await run("get svc sample-service -o jsonpath={.spec.clusterIP}");
    const ask = (port: number): Promise<Finished> =>
      cluster.tryKubectl(`exec asker -- timeout 3 wget -qO- http://${ip}:${port}/`);
    assert.match((await ask(8080)).stderr, /can't connect to remote host/);
    await run("label pod sample-pod app=nginx");
    await until("it answers", async () => (await ask(8080)).stdout.includes("Welcome to nginx!"));
    // On the Pod's port the Service itself does not listen.
    assert.equal((await ask(80)).stdout, "");
  });

  it("QK-03 QK-50 a container that crashed is started again in its Pod, which runs on; with Never the Pod has failed", async () => {
    const spec = { volumes: [{ name: "work", emptyDir: {} }] };
    const container = { volumeMounts: [{ name: "work", mountPath: "/work" }] };
    await cluster.apply([
      shellPod("mended", FAILS_ONCE, { spec, container }),
      shellPod("crashed", "exit 1", { spec: { restartPolicy: "Never" } }),
    ]);
    const { uid } = (await pod("mended")).metadata;
    await until("it was started again", async () => {
      const { containerStatuses } = (await pod("mended")).status;
      return containerStatuses?.[0]?.restartCount === 1 && containerStatuses[0].ready;
    });
    const { metadata, status } = await pod("mended");
    assert.deepEqual([metadata.uid, status.phase], [uid, "Running"]);
    await until("it failed", async () => (await pod("crashed")).status.phase === "Failed");
    assert.equal((await pod("crashed")).status.containerStatuses?.[0]?.restartCount, 0);
  });

  it("QK-05 exec probes run inside of the container, HTTP probes come from outside to the Pod's address", async () => {
    const container = {
      image: "nginx:1.14",
      readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
      livenessProbe: {
        exec: { command: ["test", "-e", "/tmp/only-inside"] },
        periodSeconds: 1,
        failureThreshold: 1,
      },
    };
    const script = "touch /tmp/only-inside; exec nginx -g 'daemon off;'";
    await cluster.apply([shellPod("probed", script, { container })]);
    await ready("probed");
    const { podIP } = (await pod("probed")).status;
    const asking = await until("nginx was asked", async () =>
      /^(\S+) .*"GET \/ .*kube-probe/m.exec(await run("logs probed")),
    );
    assert.ok(![podIP, "127.0.0.1"].includes(asking[1]), asking[0]);
    assert.equal((await pod("probed")).status.containerStatuses?.[0]?.restartCount, 0);
    await inside("probed", "rm /tmp/only-inside");
    await told("probed", /Container main failed liveness probe, will be restarted/);
  });

  it("QK-06 a probe asks the port of the manifest, not the one that is served", async () => {
    const readinessProbe = { httpGet: { path: "/", port: 3000 }, periodSeconds: 1 };
    const container = { ports: [{ containerPort: 5000 }], readinessProbe };
    await cluster.apply([
      shellPod("elsewhere", "trap exit TERM; httpd -f -p 5000 & wait", { container }),
    ]);
    await told("elsewhere", /Readiness probe failed: .*:3000.* connection refused/);
    assert.equal((await pod("elsewhere")).status.containerStatuses?.[0]?.ready, false);
  });

  it("QK-10 a label of the Deployment leaves its Pods alone; one of the template makes them anew, and ends their shells", async () => {
    await cluster.apply([waitingDeployment("busy")]);
    await run("rollout status deploy/busy --timeout=40s");
    const name = await run("get pods -l app=busy -o name");
    const shell = cluster.startKubectl([
      ...["exec", name.trim(), "--", "/bin/sh", "-c"],
      "echo open; while :; do sleep 1; done",
    ]);
    await until("the shell is open", () => shell.output().includes("open"));
    await run("label deploy busy visible=yes");
    await run("rollout status deploy/busy --timeout=40s");
    assert.equal(await run("get pods -l app=busy -o name"), name);
    const body = JSON.stringify({
      spec: { template: { metadata: { labels: { visible: "yes" } } } },
    });
    await run(["patch", "deploy", "busy", "-p", body]);
    await until("the shell has ended", () => shell.child.exitCode !== null).finally(shell.end);
    assert.notEqual(shell.child.exitCode, 0);
    await run("rollout status deploy/busy --timeout=40s");
    const next = await run("get pods -l app=busy,visible=yes -o name");
    assert.ok(next !== "" && next !== name, next);
    await run("delete deploy busy");
  });

  it("QK-13 QK-31 what was created is named by its kind, whatever the file is called", async () => {
    const path = file("replicaset-nginx.yaml", nginxDeployment("misnamed", { replicas: 0 }));
    assert.equal(await run(`create -f ${path}`), "deployment.apps/misnamed created\n");
  });

  it("QK-14 a Pod is called what its metadata says", async () => {
    const path = file("guaranteed-fail.yml", resting("burstable-pod", {}));
    assert.equal(await run(`create -f ${path}`), "pod/burstable-pod created\n");
    assert.match(await run("describe pod burstable-pod"), /^Name: +burstable-pod$/m);
    assert.match(await refused("get pod guaranteed-fail"), /"guaranteed-fail" not found/);
  });

  it("QK-15 one container without both limits makes a Pod burstable, whether it lacks the memory's or has a request alone", async () => {
    const firm = { limits: { cpu: "100m", memory: "64Mi" } };
    await cluster.apply([
      resting("lacking", firm, { limits: { cpu: "100m" } }),
      resting("requesting", firm, { limits: { cpu: "100m" }, requests: { memory: "64Mi" } }),
    ]);
    for (const name of ["lacking", "requesting"])
      assert.match(await run(`describe pod ${name}`), /^QoS Class: +Burstable$/m, name);
  });

  it("QK-16 describe without a name tells the class of every Pod", async () => {
    await run("create namespace classes");
    const limits = { cpu: "100m", memory: "64Mi" };
    const pods = [
      resting("best-effort", {}),
      resting("burstable", { requests: { cpu: "100m" } }),
      resting("guaranteed", { limits }),
    ];
    const list = { apiVersion: "v1", kind: "List", items: pods };
    await run("create -n classes -f -", JSON.stringify(list));
    const text = await run("describe pod -n classes");
    assert.deepEqual(
      [...text.matchAll(/^QoS Class: +(\S+)$/gm)].map(([, name]) => name),
      ["BestEffort", "Burstable", "Guaranteed"],
    );
  });

  it("QK-20 QK-38 a node port answers from outside of the cluster, under the number of the manifest", async () => {
    await ready("sample-pod");
    await run("label pod sample-pod shown=yes");
    const ports = [{ port: 80, nodePort: 30200 }];
    const selector = { shown: "yes" };
    await cluster.apply([serviceOf("kibana", { type: "NodePort", selector, ports })]);
    const address = await cluster.nodeIp();
    await until("it answers", async () => {
      const page = await fetch(`http://${address}:30200/`, { signal: AbortSignal.timeout(2000) });
      return (await page.text()).includes("Welcome to nginx!");
    });
    await assert.rejects(fetch(`http://${address}:30020/`, { signal: AbortSignal.timeout(2000) }));
  });

  it("QK-23 a preStop hook that fails is told, and TERM follows all the same", async () => {
    const preStop = { exec: { command: ["/bin/sh", "-c", "exit 1"] } };
    const spec = { terminationGracePeriodSeconds: 30 };
    await cluster.apply([
      shellPod(
        "hooked",
        `trap 'echo asked to end; exit' TERM; ${WAITING.slice(WAITING.indexOf("while"))}`,
        {
          spec,
          container: { lifecycle: { preStop } },
        },
      ),
    ]);
    await ready("hooked");
    const follow = cluster.startKubectl("logs -f hooked");
    await run("delete pod hooked");
    assert.match((await follow.ended).stdout, /asked to end/);
    await told("hooked", /FailedPreStopHook/);
  });

  it("QK-24 retartPolicy is no field", async () => {
    const text = JSON.stringify(shellPod("mistyped", WAITING, { spec: { retartPolicy: "Never" } }));
    assert.match(await refused("create -f -", text), /unknown field "spec\.retartPolicy"/);
  });

  it("QK-25 to an HTTP probe 399 is a success, 400 is none", async () => {
    const answering = (name: string, path: string): object =>
      shellPod(name, ANSWERING, {
        container: {
          image: "nginx:1.14",
          readinessProbe: { httpGet: { path, port: 80 }, periodSeconds: 1 },
        },
      });
    await cluster.apply([answering("within", "/399"), answering("beyond", "/400")]);
    await ready("within");
    await told("beyond", /Readiness probe failed: HTTP probe failed with statuscode: 400/);
    assert.equal((await pod("beyond")).status.containerStatuses?.[0]?.ready, false);
  });

  it("QK-29 view-last-applied is a command of apply, before the file or behind it", async () => {
    const manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" } };
    const path = file("applied.json", { ...manifest, data: { a: "1" } });
    await run(`apply -f ${path}`);
    for (const line of [`apply view-last-applied -f ${path}`, `apply -f ${path} view-last-applied`])
      assert.match(await run(line), /^data:\n +a: "1"$/m, line);
  });

  it("QK-30 without a token the API answers nobody", async () => {
    const server = await run("config view -o jsonpath={.clusters[0].cluster.server}");
    const token = (await run("create token default")).trim();
    const grant = "create clusterrolebinding lookers --clusterrole=view";
    await run(`${grant} --serviceaccount=default:default`);
    const line = `get --raw /api/v1/namespaces/default/pods --server ${server} --insecure-skip-tls-verify`;
    const env = { KUBECONFIG: "/dev/null" };
    const ask = (more: string): Promise<Finished> => cluster.tryKubectl(`${line} ${more}`, { env });
    const unknown = await ask("--username=nobody --password=nothing");
    assert.notEqual(unknown.code, 0, unknown.stdout);
    await until("the right is known", async () =>
      (await ask(`--token=${token}`)).stdout.startsWith('{"kind":"PodList"'),
    );
  });

  it("QK-32 undo says that it rolled back", async () => {
    await cluster.apply([nginxDeployment("undone", { replicas: 0 })]);
    await run("rollout status deploy/undone --timeout=40s");
    await run("set image deploy/undone nginx=nginx:1.25");
    await run("rollout status deploy/undone --timeout=40s");
    assert.equal(await run("rollout undo deploy/undone"), "deployment.apps/undone rolled back\n");
    const image = "jsonpath={.spec.template.spec.containers[0].image}";
    assert.equal(await run(["get", "deploy", "undone", "-o", image]), "nginx:1.14");
  });

  it("QK-33 a Service selects by the labels of Pods, not of their Deployment", async () => {
    await cluster.apply([
      waitingDeployment("labelled", {}, { tier: "front" }),
      serviceOf("labelled", {}, "by-pod"),
      serviceOf("labelled", { selector: { tier: "front" } }, "by-deployment"),
    ]);
    await run("rollout status deploy/labelled --timeout=40s");
    await until("the one leads to the Pod", async () =>
      /^by-pod +\d+\.\S+:80 /.test(await run("get endpoints by-pod --no-headers")),
    );
    assert.match(await run("get endpoints by-deployment --no-headers"), /^by-deployment +<none> /);
  });

  it("QK-34 a namespace that a manifest names is not made by that", async () => {
    const metadata = { name: "placed", namespace: "unmade" };
    const text = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata });
    assert.match(await refused("apply -f -", text), /namespaces "unmade" not found/);
    assert.match(await refused("get namespace unmade"), /not found/);
  });

  it("QK-36 service opens a way to a LoadBalancer Service and gives it no external address", async () => {
    await ready("sample-pod");
    await run("label pod sample-pod balanced=yes");
    const selector = { balanced: "yes" };
    await cluster.apply([serviceOf("balanced", { type: "LoadBalancer", selector })]);
    const { stdout } = await cluster.skiff("service", "balanced", "--url");
    await until("it answers", async () =>
      (await (await fetch(stdout.trim())).text()).includes("Welcome to nginx!"),
    );
    assert.match(
      await run("get svc balanced --no-headers"),
      /^balanced +LoadBalancer +\S+ +<pending> /,
    );
  });

  it("QK-39 QK-43 an ExternalName leads to the name in its manifest, for any TCP", async () => {
    const answering = "trap exit TERM; while :; do echo no http | nc -l -p 5432; done & wait";
    await cluster.apply([
      shellPod("database", answering),
      serviceOf("database", { clusterIP: "None" }),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "external" },
        spec: { type: "ExternalName", externalName: "database.default.svc.cluster.local" },
      },
    ]);
    await Promise.all([ready("database"), ready("asker")]);
    assert.equal(
      await until("it answers", () => inside("asker", "nc -w 1 external 5432 </dev/null || true")),
      "no http\n",
    );
    const answer = await inside("asker", "nslookup external.default.svc.cluster.local || true");
    assert.match(answer, /canonical name = database\.default\.svc\.cluster\.local/);
  });

  it("QK-44 the word behind a Pod's name is a container's, for logs as well", async () => {
    await ready("asker");
    const path = "/api/v1/namespaces/default/pods/asker/log?container=5000:5000";
    for (const line of ["logs -f asker 5000:5000", `get --raw ${path}`])
      assert.match(await refused(line), /container 5000:5000 is not valid for pod asker/, line);
    assert.match(await refused("log -f asker"), /unknown command "log"/);
  });

  it("QK-45 variables that no manifest has are set on the node", async () => {
    await ready("asker");
    assert.equal(await run("get pod asker -o jsonpath={.spec.containers[0].env}"), "");
    assert.match(await inside("asker", "env"), /^KUBERNETES_SERVICE_HOST=10\./m);
  });

  it("QK-46 QK-67 a rolling update is no second environment: with five copies it starts with two, and one fewer of the old", async () => {
    await cluster.apply([waitingDeployment("stepped", { replicas: 5 })]);
    await run("rollout status deploy/stepped --timeout=40s");
    await run("set image deploy/stepped nginx=localhost:1/never-there:1");
    const rows = await until("no step is left", async () => {
      const text = await run("get rs -l app=stepped --no-headers");
      return /^stepped-\S+ +4 +4 +4 /m.test(text) && / 3 +3 +0 /.test(text) && text;
    });
    assert.equal(rows.trim().split("\n").length, 2);
    const steps = await eventsOf("stepped");
    assert.match(steps, /Scaled up replica set \S+ from 0 to 2\n/);
    assert.match(steps, /Scaled down replica set \S+ from 5 to 4\n/);
    const limits = "jsonpath={.spec.strategy.rollingUpdate}";
    const { spec } = nginxDeployment("first-form", { replicas: 0 }) as { spec: object };
    const head = { apiVersion: "extensions/v1beta1", kind: "Deployment" };
    await cluster.apply([{ ...head, metadata: { name: "first-form" }, spec }]);
    assert.deepEqual(JSON.parse(await run(["get", "deploy", "first-form", "-o", limits])), {
      maxSurge: 1,
      maxUnavailable: 1,
    });
    await run("delete deploy stepped --wait=false");
  });

  it("QK-48 the image is the one that the manifest names", async () => {
    const container = { image: "localhost:1/frontend:1.0", imagePullPolicy: "Never" };
    await cluster.apply([shellPod("front", WAITING, { container })]);
    await told("front", /"localhost:1\/frontend:1\.0" is not present with pull policy of Never/);
  });

  it("QK-49 there is no kind Development", async () => {
    const text = JSON.stringify({ ...nginxDeployment("slip"), kind: "Development" });
    const answer = await refused("create -f - --validate=false", text);
    assert.match(answer, /no matches for kind "Development" in version "apps\/v1"/);
  });

  it("QK-51 a Secret's name has no capitals; a Pod may name one all the same, and runs without", async () => {
    const create = "create secret docker-registry REGISTRY --docker-username=a --docker-password=b";
    assert.match(await refused(create), /metadata\.name: Invalid value: "REGISTRY"/);
    const spec = { imagePullSecrets: [{ name: "REGISTRY" }] };
    await cluster.apply([shellPod("pulling", WAITING, { spec })]);
    await ready("pulling");
  });

  it("QK-60 what was encoded before it was put into a file stays encoded in the Secret's value", async () => {
    const path = file("username.txt", Buffer.from("john.doe").toString("base64"));
    await run(`create secret generic twice --from-file=username=${path}`);
    const kept = await run("get secret twice -o jsonpath={.data.username}");
    const once = Buffer.from(kept, "base64").toString();
    assert.equal(once, "am9obi5kb2U=");
  });

  it("QK-61 a value that was encoded with its line break has it", async () => {
    const data = { username: "am9obi5kb2UK" };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "broken" }, data };
    const secretKeyRef = { name: "broken", key: "username" };
    const env = [{ name: "NAME", valueFrom: { secretKeyRef } }];
    await cluster.apply([secret, shellPod("reading", WAITING, { container: { env } })]);
    await ready("reading");
    assert.equal(await inside("reading", 'echo "<$NAME>"'), "<john.doe\n>\n");
  });

  it("QK-62 emptyDir at the left margin is a field of the Pod, which has none", async () => {
    const manifest = [
      "apiVersion: v1",
      "kind: Pod",
      "metadata: {name: margin}",
      "spec:",
      "  containers: [{name: main, image: 'busybox:1.29'}]",
      "  volumes:",
      "  - name: data",
      "emptyDir: {}",
    ];
    const answer = await refused("create -f -", `${manifest.join("\n")}\n`);
    assert.match(answer, /unknown field "emptyDir"/);
  });

  it("QK-63 a Deployment without a selector is legal in apps/v1beta1 and refused in apps/v1", async () => {
    const { spec } = nginxDeployment("unselected", { replicas: 0 }) as { spec: object };
    const form = (version: string): string =>
      JSON.stringify({
        apiVersion: `apps/${version}`,
        kind: "Deployment",
        metadata: { name: "unselected" },
        spec: { ...spec, selector: undefined },
      });
    assert.match(
      await refused("create -f - --validate=false", form("v1")),
      /spec\.selector: Required value/,
    );
    assert.equal(await run("create -f -", form("v1beta1")), "deployment.apps/unselected created\n");
  });

  it("QK-65 a script without an interpreter cannot be started by an exec-form command", async () => {
    const script = "echo started\n";
    const started = (name: string): object =>
      shellPod(name, "", {
        container: {
          command: [`/scripts/${name}`],
          volumeMounts: [{ name: "scripts", mountPath: "/scripts" }],
        },
        spec: {
          restartPolicy: "Never",
          volumes: [{ name: "scripts", configMap: { name: "scripts", defaultMode: 0o755 } }],
        },
      });
    const data = { bare: script, repaired: `#!/bin/sh\n${script}` };
    await cluster.apply([
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "scripts" }, data },
      started("bare"),
      started("repaired"),
    ]);
    await until("it has failed", async () => (await pod("bare")).status.phase === "Failed");
    assert.match(await run("logs bare"), /exec \/scripts\/bare: exec format error/);
    await until("it has run", async () => (await pod("repaired")).status.phase === "Succeeded");
    assert.equal(await run("logs repaired"), "started\n");
  });
});
