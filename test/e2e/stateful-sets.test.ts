// StatefulSets: names, order, identity, claims, and updates that a user steers.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Running, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, WAITING } from "../support/sample-apps.ts";

/** Waits until `/tmp/go` is there: it is ready when the test says so. */
const HELD = { exec: { command: ["test", "-e", "/tmp/go"] }, periodSeconds: 1 };

/** A StatefulSet of busybox; its version is the first variable of its container. */
function setOf(name: string, spec: object = {}, container: object = {}): object {
  const main = {
    name: "main",
    image: "busybox:1.29",
    command: ["/bin/sh", "-c", WAITING],
    env: [{ name: "VERSION", value: "v1" }],
    ...container,
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 3,
      selector: { matchLabels: { app: name } },
      ...spec,
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [main] },
      },
    },
  };
}

const claimTemplate = {
  metadata: { name: "pets-data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100M" } } },
};

const claiming = {
  podManagementPolicy: "Parallel",
  replicas: 2,
  volumeClaimTemplates: [claimTemplate],
};

/** `DELETED web-2` …: what a watch told of the Pods' coming and going, in its order. */
function tellings(watch: Running): string[] {
  return [...watch.output().matchAll(/^(ADDED|DELETED) +(\S+)/gm)].map(
    ([, what, name]) => `${what} ${name}`,
  );
}

describe("StatefulSets", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const isComplete = (name: string, replicas = 3): Promise<unknown> =>
    until(`${name} is ready`, async () =>
      (await run(`get sts ${name} --no-headers`)).includes(` ${replicas}/${replicas} `),
    );
  const rolledOut = (name: string): Promise<string> =>
    run(`rollout status sts/${name} --timeout=40s`);
  const fieldOf = (object: string, path: string): Promise<string> =>
    run(["get", ...object.split(" "), "-o", `jsonpath={${path}}`]);
  /** `web-0=v1 web-1=v2`: which version each Pod has. */
  const versions = async (name: string): Promise<string> => {
    const each = "{.metadata.name}={.spec.containers[0].env[0].value} ";
    const text = await run([
      "get",
      "pods",
      "-l",
      `app=${name}`,
      "-o",
      `jsonpath={range .items[*]}${each}{end}`,
    ]);
    return text.trim();
  };
  const watchPods = (name: string): Running =>
    cluster.startKubectl(`get pods -w -l app=${name} --no-headers --output-watch-events`);

  before(async () => {
    cluster = await startCluster(["busybox"]);
    await cluster.apply([
      setOf("ordered"),
      serviceOf("es-master", { clusterIP: "None" }),
      setOf("es-master", { replicas: 2 }),
      setOf("crowd", { podManagementPolicy: "Parallel" }, { readinessProbe: HELD }),
      setOf("manual", { replicas: 2, updateStrategy: { type: "OnDelete" } }),
      setOf("phased", { updateStrategy: { rollingUpdate: { partition: 1 } } }),
      setOf("pets", claiming),
      setOf("shelter", claiming),
    ]);
  });
  after(() => cluster?.close());

  it("SS-01 SS-02 SS-03 a set of one makes the Pod NAME-0, and makes it again under that name", async () => {
    const file = join(cluster.home, "db-stateful-set.yaml");
    writeFileSync(file, JSON.stringify(setOf("db", { replicas: 1 })));
    assert.equal(await run(`create -f ${file}`), "statefulset.apps/db created\n");
    await isComplete("db", 1);
    const all = await run("get all -l app=db");
    assert.match(all, /^pod\/db-0 +1\/1 +Running +0 /m);
    assert.match(await run("get sts,pods"), /^statefulset\.apps\/db +1\/1 +\S+$/m);
    assert.match(
      await run("get sts db -o wide"),
      /^NAME +READY +AGE +CONTAINERS +IMAGES\n.* main +busybox:1.29$/m,
    );
    const uid = await fieldOf("pod db-0", ".metadata.uid");
    await run("delete pod db-0");
    await until("another db-0 runs", async () => {
      const found = await cluster.tryKubectl("get pod db-0 -o jsonpath={.metadata.uid}");
      return found.code === 0 && found.stdout !== uid;
    });
    await isComplete("db", 1);
    assert.equal(await fieldOf("sts db", ".status.currentReplicas"), "1");
    assert.match(await run("describe sts db"), /create Pod db-0 in StatefulSet db successful/);
  });

  it("SS-05 SS-14 Pods come lowest first, and are updated and ended highest first, each once the one before is done", async () => {
    await isComplete("ordered");
    const made = await run(
      "get events --no-headers --field-selector involvedObject.name=ordered,reason=SuccessfulCreate",
    );
    assert.match(made, /create Pod ordered-0 [^]*create Pod ordered-1 [^]*create Pod ordered-2 /);
    const watch = watchPods("ordered");
    await until("it watches", () => tellings(watch).length === 3);
    await run("set env sts/ordered VERSION=v2");
    await rolledOut("ordered");
    assert.equal(await versions("ordered"), "ordered-0=v2 ordered-1=v2 ordered-2=v2");
    await run("scale sts ordered --replicas=0");
    await until("all are gone", () => tellings(watch).length === 12);
    await watch.end();
    const replaced = (ordinal: number): string[] => [
      `DELETED ordered-${ordinal}`,
      `ADDED ordered-${ordinal}`,
    ];
    assert.deepEqual(tellings(watch).slice(3), [
      ...[2, 1, 0].flatMap(replaced),
      ...[2, 1, 0].map((ordinal) => `DELETED ordered-${ordinal}`),
    ]);
    // none was asked to end before the one above was gone
    const output = watch.output();
    for (const ordinal of [1, 0]) {
      const ending = output.lastIndexOf(
        ` ordered-${ordinal} `,
        output.lastIndexOf(`DELETED    ordered-${ordinal} `) - 1,
      );
      assert.ok(output.lastIndexOf(`DELETED    ordered-${ordinal + 1} `) < ending, output);
    }
  });

  it("SS-10 QK-19 a headless Service gives each Pod a name, and numbers begin with 0", async () => {
    await isComplete("es-master", 2);
    const address = await fieldOf("pod es-master-1", ".status.podIP");
    const name = "es-master-1.es-master.default.svc.cluster.local";
    const answer = await until("the name is known", async () => {
      const asked = await cluster.tryKubectl(`exec es-master-0 -- nslookup ${name}`);
      return asked.stdout.includes(address) && asked.stdout;
    });
    assert.match(answer, new RegExp(name.replaceAll(".", "\\.")));
    assert.equal(await run("exec es-master-0 -- hostname"), "es-master-0\n");
    const labels = await run("get pod es-master-0 --show-labels");
    assert.match(labels, /statefulset\.kubernetes\.io\/pod-name=es-master-0/);
    assert.match(labels, /apps\.kubernetes\.io\/pod-index=0,/);
    assert.equal(
      await run("get pods -l app=es-master -o name"),
      "pod/es-master-0\npod/es-master-1\n",
    );
  });

  it("SS-06 QK-17 a Pod that is made again keeps its names; only its address changes", async () => {
    await isComplete("es-master", 2);
    const before = await fieldOf("pod es-master-0", ".status.podIP");
    await run("delete pod es-master-0");
    await until("it is back", async () => {
      const address = await cluster.tryKubectl("get pod es-master-0 -o jsonpath={.status.podIP}");
      return address.stdout !== "" && address.stdout !== before;
    });
    await isComplete("es-master", 2);
    const now = await fieldOf("pod es-master-0", ".status.podIP");
    assert.notEqual(now, before);
    await until("its name leads to it", async () => {
      const asked = await cluster.tryKubectl(
        "exec es-master-1 -- nslookup es-master-0.es-master.default.svc.cluster.local",
      );
      return asked.stdout.includes(now) && !asked.stdout.includes(`${before}\n`);
    });
    assert.equal(await run("exec es-master-0 -- hostname"), "es-master-0\n");
  });

  it("SS-12 SS-17 Parallel starts and ends Pods together; updates stay one by one", async () => {
    const fields = ".spec.podManagementPolicy}/{.spec.updateStrategy.type";
    assert.equal(await fieldOf("sts crowd", fields), "Parallel/RollingUpdate");
    const names = "crowd-0=v1 crowd-1=v1 crowd-2=v1";
    await until("all are there, none is ready", async () => (await versions("crowd")) === names);
    assert.match(await run("get sts crowd --no-headers"), /^crowd +0\/3 /);
    const letGo = (name: string): Promise<unknown> =>
      until(`${name} runs`, async () => {
        const done = await cluster.tryKubectl(`exec ${name} -- touch /tmp/go`);
        return done.code === 0;
      });
    await Promise.all([0, 1, 2].map((ordinal) => letGo(`crowd-${ordinal}`)));
    await isComplete("crowd");
    await run("set env sts/crowd VERSION=v2");
    const first = "crowd-0=v1 crowd-1=v1 crowd-2=v2";
    await until("the last is new", async () => (await versions("crowd")) === first);
    await letGo("crowd-2");
    const second = "crowd-0=v1 crowd-1=v2 crowd-2=v2";
    await until("then the one before", async () => (await versions("crowd")) === second);
    await run("scale sts crowd --replicas=0");
    await until("all are gone", async () => (await versions("crowd")) === "");
  });

  it("SS-13 OnDelete: a Pod is updated when it is deleted by hand", async () => {
    await isComplete("manual", 2);
    await run("set env sts/manual VERSION=v2");
    await until("the set knows", async () => {
      const [observed, wanted] = (
        await fieldOf("sts manual", ".status.observedGeneration}/{.metadata.generation")
      ).split("/");
      return observed === wanted;
    });
    assert.equal(await versions("manual"), "manual-0=v1 manual-1=v1");
    await run("delete pod manual-0");
    await until("it is new", async () => (await versions("manual")) === "manual-0=v2 manual-1=v1");
    await isComplete("manual", 2);
    assert.equal(await versions("manual"), "manual-0=v2 manual-1=v1");
  });

  it("SS-15 SS-16 CD-21 Pods below the partition keep the old version until it is lowered", async () => {
    await isComplete("phased");
    const kept = await fieldOf("pod phased-0", ".metadata.uid");
    await run("set env sts/phased VERSION=v2");
    assert.match(
      await rolledOut("phased"),
      /partitioned roll out complete: 2 new pods have been updated\.\.\.\n$/,
    );
    await isComplete("phased");
    assert.equal(await versions("phased"), "phased-0=v1 phased-1=v2 phased-2=v2");
    assert.equal(await fieldOf("pod phased-0", ".metadata.uid"), kept);
    await run("delete pod phased-0");
    await until("it is back", async () => (await versions("phased")).startsWith("phased-0="));
    assert.equal(await versions("phased"), "phased-0=v1 phased-1=v2 phased-2=v2");
    await isComplete("phased");
    const lower = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}';
    await run(["patch", "sts/phased", "-p", lower]);
    await rolledOut("phased");
    assert.equal(await versions("phased"), "phased-0=v2 phased-1=v2 phased-2=v2");
  });

  it("rollout history, undo and restart", async () => {
    await cluster.apply([setOf("rolled", { replicas: 1 })]);
    await isComplete("rolled", 1);
    await run("set env sts/rolled VERSION=v2");
    await rolledOut("rolled");
    assert.match(await run("rollout history sts/rolled"), /^1 +<none>\n2 +<none>$/m);
    assert.match(await run("rollout history sts/rolled --revision=1"), /VERSION:\s+v1/);
    assert.equal(await run("rollout undo sts/rolled"), "statefulset.apps/rolled rolled back\n");
    assert.match(
      await rolledOut("rolled"),
      /partitioned roll out complete: 1 new pods have been updated/,
    );
    assert.equal(await versions("rolled"), "rolled-0=v1");
    assert.match(await run("rollout history sts/rolled"), /^2 +<none>\n3 +<none>$/m);
    assert.equal(await run("rollout restart sts/rolled"), "statefulset.apps/rolled restarted\n");
    await rolledOut("rolled");
    assert.match(
      await run("get controllerrevisions -l app=rolled --no-headers"),
      / statefulset\.apps\/rolled +4 /,
    );
  });

  it("SS-07 each Pod has a claim of its own, made from the template", async () => {
    await until(
      "both Pods are there",
      async () => (await versions("pets")) === "pets-0=v1 pets-1=v1",
    );
    assert.equal(
      await run("get pvc -l app=pets -o name"),
      "persistentvolumeclaim/pets-data-pets-0\npersistentvolumeclaim/pets-data-pets-1\n",
    );
    const volume = "pvc-[-0-9a-f]{36}";
    const row = new RegExp(`^pets-data-pets-0 +Bound +${volume} +100M +RWO +standard +<unset> +`);
    await until("it has a volume", async () =>
      row.test(await run("get pvc -l app=pets --no-headers")),
    );
    assert.equal(await fieldOf("pvc pets-data-pets-1", ".spec.resources.requests.storage"), "100M");
    const claimName = ".spec.volumes[0].persistentVolumeClaim.claimName";
    assert.equal(await fieldOf("pod pets-1", claimName), "pets-data-pets-1");
  });

  it("SS-09 SS-20 QK-18 claims stay when Pods and set go", async () => {
    const both = "shelter-0=v1 shelter-1=v1";
    await until("both Pods are there", async () => (await versions("shelter")) === both);
    const claims = (): Promise<string> => run("get pvc -l app=shelter -o name");
    const names = await claims();
    assert.equal(names.trim().split("\n").length, 2, names);
    await run("scale sts shelter --replicas=1");
    await until("one has gone", async () => (await versions("shelter")) === "shelter-0=v1");
    assert.equal(await claims(), names);
    // nobody's end is theirs
    const owners = ".items[*].metadata.ownerReferences";
    assert.equal(await fieldOf("pvc -l app=shelter", owners), "");
    assert.equal(await run("delete statefulset/shelter"), 'statefulset.apps "shelter" deleted\n');
    await until("its Pod has gone", async () => (await versions("shelter")) === "");
    assert.equal(await claims(), names);
  });

  it("QK-21 API-09 a set needs no Service, and has the fields of its first API", async () => {
    const { apiVersion: _, ...first } = setOf("alone", { serviceName: undefined, replicas: 1 }) as {
      apiVersion: string;
      spec: object;
    };
    await cluster.apply([{ apiVersion: "apps/v1beta1", ...first }]);
    const { metadata, spec } = nginxDeployment("old-form", { replicas: 0 }) as Record<
      string,
      object
    >;
    await cluster.apply([{ apiVersion: "apps/v1beta1", kind: "Deployment", metadata, spec }]);
    assert.equal(await fieldOf("deploy old-form", ".spec.revisionHistoryLimit"), "2");
    await isComplete("alone", 1);
    assert.equal(await fieldOf("sts alone", ".spec.updateStrategy.type"), "OnDelete");
    assert.equal(
      await run("get statefulsets.v1beta1.apps alone -o name"),
      "statefulset.apps/alone\n",
    );
    assert.equal(await fieldOf("pod alone-0", ".spec.subdomain"), "");
  });
});
