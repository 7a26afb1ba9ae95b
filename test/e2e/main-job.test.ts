import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

interface Pods {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly deletionTimestamp?: string;
      readonly ownerReferences: readonly { readonly name: string }[];
    };
    readonly status: { readonly podIP: string; readonly phase: string };
  }[];
}
interface ServiceObject {
  readonly spec: {
    readonly type: string;
    readonly clusterIP: string;
    readonly ports: readonly { readonly nodePort: number }[];
  };
}
interface ReplicaSets {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly ownerReferences: readonly { readonly name: string }[];
    };
    readonly spec: { readonly replicas: number };
  }[];
}

describe("main job: three copies of a web server behind Services", () => {
  let cluster: TestCluster;
  let nodePortUrl: string;
  let clusterIp: string;

  const pods = async (app = "web"): Promise<Pods["items"]> =>
    (await cluster.read<Pods>(`pods -l app=${app}`)).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
  const names = async (): Promise<string[]> =>
    (await pods()).map(({ metadata }) => metadata.name).sort();
  const inClient = (line: string): Promise<string> =>
    cluster.kubectl(["exec", "client", "--", "/bin/sh", "-c", line]);
  const rollout = (line: string): Promise<string> => cluster.kubectl(`rollout ${line}`);
  const image = (): Promise<string> =>
    cluster.kubectl("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}");

  before(async () => {
    cluster = await startCluster();
    await cluster.apply([
      serviceOf("web", { type: "NodePort" }),
      serviceOf("web", {}, "web-internal"),
      serviceOf("web", { clusterIP: "None" }, "web-headless"),
      nginxDeployment("web", { replicas: 3 }),
      nginxDeployment("trio", { replicas: 3 }),
      serviceOf("web", { type: "NodePort" }, "web-open"),
      nginxDeployment("healed", { replicas: 2 }),
      serviceOf("healed"),
      nginxDeployment("sized"),
      serviceOf("sized"),
    ]);
    assert.match(await rollout("status deploy/web"), /deployment "web" successfully rolled out/);
    await cluster.apply([shellPod("client", WAITING)]);
    await cluster.kubectl("wait --for=condition=Ready pod/client --timeout=20s");
    const { spec } = await cluster.read<ServiceObject>("svc web");
    clusterIp = spec.clusterIP;
    nodePortUrl = `http://${await cluster.nodeIp()}:${spec.ports[0]!.nodePort}/`;
  });
  after(() => cluster?.close());

  it("DE-01 DE-02 DE-03 a Deployment makes a ReplicaSet, which makes the Pods, each named after its maker", async () => {
    const { metadata } = await until("its ReplicaSet", async () => {
      const { items } = await cluster.read<ReplicaSets>("rs -l app=trio");
      return items.length === 1 && items[0];
    });
    assert.match(metadata.name, /^trio-[0-9a-z]{8,10}$/);
    assert.equal(metadata.ownerReferences[0]!.name, "trio");
    const made = await until("its Pods", async () => {
      const all = await pods("trio");
      return all.length >= 3 && all;
    });
    assert.equal(made.length, 3);
    for (const pod of made) {
      assert.match(pod.metadata.name, new RegExp(`^${metadata.name}-[0-9a-z]{5}$`));
      assert.equal(pod.metadata.ownerReferences[0]!.name, metadata.name);
    }
    await cluster.kubectl("delete deploy trio --wait=false");
  });

  it("SV-12 SV-14 SV-17 the node port that the system chose answers on the node's address", async () => {
    const port = (await cluster.read<ServiceObject>("svc web-open")).spec.ports[0]!.nodePort;
    assert.ok(port >= 30_000 && port <= 32_767, `${port}`);
    assert.match(await cluster.kubectl("get svc web-open"), new RegExp(` 80:${port}/TCP `));
    assert.match(await cluster.kubectl("describe svc web-open"), new RegExp(` ${port}/TCP$`, "m"));
    const answer = await fetch(`http://${await cluster.nodeIp()}:${port}/`);
    assert.match(await answer.text(), /Welcome to nginx!/);
  });

  it("SV-07 SV-47 PO-08 Pods reach the cluster IP and each Pod's own address", async () => {
    const { spec } = await cluster.read<ServiceObject>("svc web-internal");
    assert.equal(spec.type, "ClusterIP");
    assert.equal(spec.ports[0]!.nodePort, undefined);
    const url = `http://${spec.clusterIP}/`;
    assert.match(await inClient(`timeout 5 wget -qO- ${url}`), /Welcome to nginx!/);
    const onNode = await cluster.skiff("ssh", "--", "curl", "-sSm5", url);
    assert.match(onNode.stdout, /Welcome to nginx!/, onNode.stderr);
    for (const { status } of await pods())
      assert.match(
        await inClient(`timeout 5 wget -qO- http://${status.podIP}/`),
        /Welcome to nginx!/,
      );
  });

  it("SV-32 SV-33 API-36 a Service's name resolves to its cluster IP, short and with its namespace", async () => {
    for (const name of ["web.default.svc.cluster.local", "web"])
      assert.match(
        await inClient(`nslookup ${name} || true`),
        new RegExp(`Name:\\s+web\\.default\\.svc\\.cluster\\.local\\s+Address: ${clusterIp}`),
        name,
      );
    // nginx resolves the names of its configuration by the C library, search list and all
    const [server] = await names();
    const config = (name: string): string =>
      `echo 'events {} http { server { location / { proxy_pass http://${name}; } } }' >/tmp/a; nginx -t -c /tmp/a`;
    const resolves = async (name: string): Promise<number> =>
      (await cluster.tryKubectl(["exec", server!, "--", "/bin/sh", "-c", config(name)])).code;
    assert.equal(await resolves("web.default"), 0);
    assert.equal(await resolves("web.other"), 1);
    await cluster.apply([serviceOf("web", {}, "late")]);
    const late = await cluster.read<ServiceObject>("svc late");
    await until("a new Service has its record", async () =>
      (await inClient("nslookup late.default.svc.cluster.local || true")).includes(
        late.spec.clusterIP,
      ),
    );
    await cluster.kubectl("delete svc late");
  });

  it("SV-23 a headless Service has no address of its own; its name gives those of the Pods", async () => {
    assert.match(await cluster.kubectl("get svc web-headless"), /ClusterIP +None /);
    const found = await inClient("nslookup web-headless.default.svc.cluster.local");
    for (const { status } of await pods()) assert.ok(found.includes(status.podIP), found);
    assert.equal(found.match(/^Name:/gm)?.length, 3);
  });

  it("SV-36 SV-37 a Pod has variables of the Services that were there before it, and none of later ones", async () => {
    await cluster.apply([serviceOf("web", {}, "after-client")]);
    const env = await inClient("env");
    assert.ok(env.includes(`WEB_SERVICE_HOST=${clusterIp}`));
    assert.ok(env.includes("WEB_SERVICE_PORT=80"));
    assert.ok(env.includes(`WEB_PORT_80_TCP=tcp://${clusterIp}:80`));
    assert.ok(!env.includes("AFTER_CLIENT"));
    await cluster.apply([shellPod("later", WAITING)]);
    await cluster.kubectl("wait --for=condition=Ready pod/later --timeout=20s");
    assert.match(await cluster.kubectl("exec later -- env"), /^AFTER_CLIENT_SERVICE_HOST=10\./m);
    await cluster.kubectl("delete svc after-client");
  });

  it("SV-44 every Pod gets its share of the requests", async () => {
    for (let request = 0; request < 60; request += 1)
      await (await fetch(`${nodePortUrl}?share`, { headers: { connection: "close" } })).text();
    for (const name of await names())
      assert.match(await cluster.kubectl(`logs ${name}`), /GET \/\?share/, name);
  });

  it("RS-07 AR-32 SV-45 a deleted Pod is replaced, and the Service keeps its address", async () => {
    const { spec } = await cluster.read<ServiceObject>("svc healed");
    const namesNow = async (): Promise<string[]> =>
      (await pods("healed")).map(({ metadata }) => metadata.name);
    await rollout("status deploy/healed");
    for (const victim of await namesNow()) {
      const others = (await namesNow()).filter((name) => name !== victim);
      await cluster.kubectl(`delete pod ${victim} --wait=false`);
      const healed = await until("two Pods again", async () => {
        const now = await namesNow();
        return now.length === 2 && now;
      });
      assert.ok(!healed.includes(victim));
      for (const name of others) assert.ok(healed.includes(name));
      await rollout("status deploy/healed");
    }
    await until("the first two are gone", async () => {
      const all = await cluster.kubectl("get pods -l app=healed -o name");
      return all.trim().split("\n").length === 2;
    });
    assert.equal((await cluster.read<ServiceObject>("svc healed")).spec.clusterIP, spec.clusterIP);
    await until("the new ones answer", async () =>
      (await inClient(`timeout 5 wget -qO- http://${spec.clusterIP}/ || true`)).includes("Welcome"),
    );
    await cluster.kubectl("delete deploy healed --wait=false");
  });

  it("KC-23 DE-09 SV-52 scale goes up, down and to 0, where requests fail", async () => {
    const row = (): Promise<string> => cluster.kubectl("get deploy sized");
    assert.equal(
      await cluster.kubectl("scale --replicas=3 deployment sized"),
      "deployment.apps/sized scaled\n",
    );
    await until("3 ready", async () => /^sized +3\/3 +3 +3 /m.test(await row()));
    const { spec } = await cluster.read<ServiceObject>("svc sized");
    const ask = `timeout 5 wget -qO- http://${spec.clusterIP}/ 2>&1 || true`;
    assert.match(await inClient(ask), /Welcome/);
    await cluster.kubectl("scale --replicas=1 deployment sized");
    await until("1 ready", async () => /^sized +1\/1 +1 +1 /m.test(await row()));
    await cluster.kubectl("scale --replicas=0 deployment sized");
    await until("0/0", async () => /^sized +0\/0 +0 +0 /m.test(await row()));
    await until("no Pod", async () => (await pods("sized")).length === 0);
    await until("nothing answers", async () => (await inClient(ask)).includes("refused"));
    await cluster.kubectl("delete deploy sized");
  });

  it("DE-10 DE-14 DE-39 set image rolls every Pod without one failed request", async () => {
    const failures: unknown[] = [];
    let requests = 0;
    let rolling = true;
    const stream = async (): Promise<void> => {
      while (rolling) {
        try {
          const answer = await fetch(nodePortUrl, {
            headers: { connection: "close" },
            signal: AbortSignal.timeout(5000),
          });
          await answer.text();
          if (!answer.ok) failures.push(answer.status);
        } catch (error) {
          failures.push(error);
        }
        requests += 1;
        await delay(10);
      }
    };
    const before = await names();
    const watch = cluster.startKubectl("get deploy web -w --no-headers");
    await until("it watches", () => /^web +3\/3 /.test(watch.output()));
    const streams = [stream(), stream(), stream()];
    assert.match(
      await cluster.kubectl("set image deployment/web nginx=nginx:1.25"),
      /deployment.apps\/web image updated/,
    );
    await rollout("status deploy/web");
    await until("the old Pods are gone", async () => (await pods()).length === 3);
    rolling = false;
    await Promise.all(streams);
    await watch.end();
    const rows = watch.output().trim().split("\n");
    for (const row of rows) assert.match(row, /^web +[34]\/3 /, "never fewer than three are ready");
    assert.ok(
      rows.some((row) => /^web +[34]\/3 +[12] /.test(row)),
      "old and new ones side by side",
    );
    assert.deepEqual(failures, []);
    assert.ok(requests > 50, `${requests} requests`);
    for (const name of await names()) assert.ok(!before.includes(name));
  });

  it("DE-15 KC-46 after an update the old ReplicaSet stays with 0 Pods", async () => {
    const table = await cluster.kubectl("get rs -l app=web");
    assert.match(table, /^NAME +DESIRED +CURRENT +READY +AGE\n/);
    assert.match(table, /^web-\S+ +3 +3 +3 /m);
    assert.match(table, /^web-\S+ +0 +0 +0 /m);
  });

  it("KC-85 DE-21 API-31 rollout history lists revisions and their causes", async () => {
    await cluster.kubectl("annotate deploy/web kubernetes.io/change-cause=second --overwrite");
    const causes = await until("the cause is recorded", async () => {
      const history = await rollout("history deployment web");
      return history.includes("second") && history;
    });
    assert.match(causes, /^deployment.apps\/web *\nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +second\n/);
  });

  it("KC-86 DE-23 rollout undo goes back by the old ReplicaSet", async () => {
    const before = (await cluster.read<ReplicaSets>("rs -l app=web")).items;
    const idle = before.find(({ spec }) => spec.replicas === 0)!.metadata.name;
    assert.match(await rollout("undo deployment web"), /deployment.apps\/web rolled back/);
    await rollout("status deploy/web");
    assert.equal(await image(), "nginx:1.14");
    const sets = (await cluster.read<ReplicaSets>("rs -l app=web")).items;
    assert.equal(sets.length, 2);
    assert.equal(sets.find(({ spec }) => spec.replicas === 3)!.metadata.name, idle);
  });

  it("KC-87 DE-24 rollout undo --to-revision goes to a kept revision and to no other", async () => {
    const { code, stderr } = await cluster.tryKubectl("rollout undo deploy/web --to-revision=77");
    assert.equal(code, 1);
    assert.match(stderr, /unable to find specified revision 77 in history/);
    await rollout("undo deploy/web --to-revision=2");
    await rollout("status deploy/web");
    assert.equal(await image(), "nginx:1.25");
  });

  it("KC-88 DE-26 DE-27 a paused Deployment changes nothing until it is resumed", async () => {
    const sizes = async (): Promise<string> =>
      (await cluster.read<ReplicaSets>("rs -l app=web")).items
        .map(({ metadata, spec }) => `${metadata.name} ${spec.replicas}`)
        .sort()
        .join();
    const observed = (): Promise<unknown> =>
      until("the controller saw the change", async () => {
        const generations = "{.status.observedGeneration} {.metadata.generation}";
        const output = `jsonpath=${generations}`;
        const text = await cluster.kubectl(["get", "deploy", "web", "-o", output]);
        const [seen, written] = text.split(" ");
        return seen === written;
      });
    const setsBefore = (await sizes()).split(",").length;
    await cluster.kubectl("set image deploy/web nginx=nginx:alpine");
    assert.match(await rollout("pause deploy/web"), /web paused/);
    await observed();
    const frozen = await sizes();
    await cluster.kubectl("set env deploy/web DEMO=1");
    await cluster.kubectl("set env deploy/web OTHER=2");
    await observed();
    await until("every Pod that was begun is ready", async () =>
      (await pods()).every(({ status }) => status.phase === "Running"),
    );
    assert.equal(await sizes(), frozen);
    assert.match(await rollout("resume deploy/web"), /web resumed/);
    await rollout("status deploy/web");
    const sets = (await sizes()).split(",").length;
    assert.equal(sets - setsBefore, 2, "one rollout before, and one for both changes");
    const yaml = await cluster.kubectl("get pods -l app=web -o yaml");
    for (const part of ["nginx:alpine", "name: DEMO", "name: OTHER"])
      assert.ok(yaml.includes(part));
  });

  it("KC-84 DE-20 rollout status tells the progress and ends with success; restart makes new Pods", async () => {
    const before = await names();
    assert.match(await rollout("restart deploy/web"), /web restarted/);
    const said = await rollout("status deployment web");
    assert.match(said, /^Waiting for deployment "web" rollout to finish: \d .*\.\.\.$/m);
    assert.match(said, /^deployment "web" successfully rolled out$/m);
    for (const name of await names()) assert.ok(!before.includes(name));
  });

  it("DE-19 DE-05 a change outside of the template starts no rollout", async () => {
    const before = await names();
    await cluster.kubectl("label deploy/web tier=front");
    await cluster.kubectl([
      "patch",
      "deploy/web",
      "-p",
      '{"spec":{"minReadySeconds":0,"revisionHistoryLimit":5}}',
    ]);
    assert.match(await rollout("status deploy/web"), /successfully/);
    assert.deepEqual(await names(), before);
  });

  it("KC-66 describe tells each scale step of the old and the new ReplicaSet", async () => {
    const text = await cluster.kubectl("describe deploy/web");
    assert.match(text, /ScalingReplicaSet .* Scaled up replica set web-\S+ from 0 to 1/);
    assert.match(text, /ScalingReplicaSet .* Scaled down replica set web-\S+ from 3 to 2/);
  });

  it("DE-34 deleting a Deployment takes its ReplicaSets and Pods along", async () => {
    assert.match(await cluster.kubectl("delete deploy/web"), /deployment.apps "web" deleted/);
    await until("all is gone", async () => {
      const left = await cluster.kubectl("get rs,pods -l app=web -o name");
      return left === "" || undefined;
    });
  });
});
