// Persistent volumes: claims of Pods and StatefulSets on the cluster's own volumes, on two nodes.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type {
  CoreV1Event,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StorageClass,
} from "../../src/gen/types.ts";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { shellPod, WAITING } from "../support/sample-apps.ts";

function claimOf(name: string, change: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, ...change },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Mi" } } },
  };
}

const DATA_MOUNT = [{ name: "data", mountPath: "/data" }];

/** A Pod that has a claim at /data. */
function podWith(name: string, claimName: string): object {
  return shellPod(name, WAITING, {
    container: { volumeMounts: DATA_MOUNT },
    spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] },
  });
}

/** What has Pods that are labelled with its name. `pod`: their specification beside a busybox that waits, with /data. */
function workload(
  kind: string,
  name: string,
  spec: object,
  pod: object,
  main: object = {},
): object {
  const container = {
    name: "main",
    image: "busybox:1.29",
    command: ["/bin/sh", "-c", WAITING],
    volumeMounts: DATA_MOUNT,
    ...main,
  };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      ...spec,
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container], ...pod },
      },
    },
  };
}

/** A StatefulSet whose Pods each have a claim `data`. `main`: of its container. */
function setWithClaims(name: string, main: object = {}): object {
  const template = claimOf("data");
  const spec = { serviceName: name, replicas: 2, volumeClaimTemplates: [template] };
  return workload("StatefulSet", name, spec, {}, main);
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;

describe("persistent volumes", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const podsOf = async (app: string): Promise<readonly V1Pod[]> =>
    (await cluster.read<{ readonly items: readonly V1Pod[] }>(`pods -l app=${app}`)).items;
  const ready = (app: string, count = 1): Promise<unknown> =>
    until(
      `${count} of ${app} ready`,
      async () => (await podsOf(app)).filter(isReady).length === count,
    );
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const { items } = await cluster.read<{ readonly items: readonly CoreV1Event[] }>(
      `events --field-selector involvedObject.name=${name}`,
    );
    return items.map(({ reason, message }) => `${reason} ${message}`);
  };
  const told = (name: string, pattern: RegExp): Promise<unknown> =>
    until(`an event of ${name} like ${pattern}`, async () =>
      (await eventsOf(name)).some((text) => pattern.test(text)),
    );
  const volumeOf = async (claim: string): Promise<string> => {
    const { spec, status } = await cluster.read<V1PersistentVolumeClaim>(`pvc ${claim}`);
    assert.equal(status?.phase, "Bound");
    return spec?.volumeName ?? "";
  };
  const shell = (pod: string, script: string): Promise<string> =>
    run(["exec", pod, "--", "/bin/sh", "-c", script]);

  before(async () => {
    cluster = await startCluster(["busybox"], "--nodes", "2");
  });
  after(() => cluster?.close());

  it("ST-06 ST-30 ST-31 what is written through a claim is there for the next Pod", async () => {
    await cluster.apply([claimOf("web-pvc"), podWith("web-pod", "web-pvc")]);
    await ready("web-pod");
    const stdin = 'cd data\necho "Hello world!" > sample.txt\nls\n';
    assert.equal(await cluster.kubectl("exec -i web-pod -- /bin/sh", { stdin }), "sample.txt\n");
    assert.match(await run("describe pod web-pod"), /ClaimName: +web-pvc\n/);
    const volume = await volumeOf("web-pvc");
    await run("delete pod web-pod");
    await cluster.apply([podWith("web-pod", "web-pvc")]);
    await ready("web-pod");
    assert.equal(await shell("web-pod", "cat /data/sample.txt"), "Hello world!\n");
    assert.equal(await volumeOf("web-pvc"), volume);
  });

  it("ST-17 a claim is found in the Pod's own namespace alone", async () => {
    await run("create namespace elsewhere");
    const pod = podWith("stranger", "web-pvc") as { readonly metadata: object };
    await cluster.apply([{ ...pod, metadata: { ...pod.metadata, namespace: "elsewhere" } }]);
    const inside =
      "-n elsewhere --field-selector reason=FailedScheduling -o jsonpath={.items..message}";
    await until("it is not scheduled", async () =>
      (await run(`get events ${inside}`)).includes('persistentvolumeclaim "web-pvc" not found'),
    );
    await cluster.apply([claimOf("web-pvc", { namespace: "elsewhere" })]);
    await run("wait -n elsewhere --for=condition=Ready pod/stranger --timeout=40s");
    assert.equal(await run("exec -n elsewhere stranger -- ls /data"), "");
    await run("delete namespace elsewhere --wait=false");
  });

  it("RS-15 ST-27 ST-34 one node alone has a volume that one node may write", async () => {
    const spread = {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "grafana" } },
    };
    const pod = {
      topologySpreadConstraints: [spread],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "grafana" } }],
    };
    await cluster.apply([
      claimOf("grafana"),
      workload("ReplicaSet", "grafana", { replicas: 3 }, pod),
    ]);
    const all = await until("all are on nodes, and one node's run", async () => {
      const pods = await podsOf("grafana");
      return pods.every(({ spec }) => spec?.nodeName) && pods.some(isReady) && pods;
    });
    const home = all.find(isReady)?.spec?.nodeName;
    const here = all.filter(({ spec }) => spec?.nodeName === home).length;
    await ready("grafana", here);
    const others = (await podsOf("grafana")).filter(({ spec }) => spec?.nodeName !== home);
    assert.equal(others.length, 3 - here);
    assert.ok(others.length > 0, "all are on one node");
    const volume = await volumeOf("grafana");
    const error = `FailedAttachVolume Multi-Attach error for volume "${volume}" Volume is already used by pod(s) grafana-`;
    // Of the Pods on that node, those that wait when the controller meets the volume are told.
    await until("the other node's Pods are told why", async () => {
      const events = await Promise.all(
        others.map(({ metadata }) => eventsOf(metadata?.name ?? "")),
      );
      return events.flat().some((text) => text.startsWith(error));
    });
    await until("they are said to wait", async () =>
      (await podsOf("grafana"))
        .filter(({ spec }) => spec?.nodeName !== home)
        .every(({ status }) => {
          const [container] = status?.containerStatuses ?? [];
          return container?.state?.waiting?.reason === "ContainerCreating";
        }),
    );
    assert.match(await run("get rs grafana --no-headers"), new RegExp(`grafana +3 +3 +${here} `));
    await run("delete rs grafana");
    await run("delete pvc grafana");
  });

  it("SS-04 the claim comes before its Pod, and the next claim after the Pod is ready", async () => {
    const held = { exec: { command: ["test", "-e", "/tmp/go"] }, periodSeconds: 1 };
    await cluster.apply([setWithClaims("ordered", { readinessProbe: held })]);
    const made = async (): Promise<string> => {
      const names = await run("get pvc,pods -l app=ordered -o name");
      return names.replaceAll(/\S+\//g, "").trim().split("\n").join(" ");
    };
    await until("the first Pod runs", async () =>
      (await podsOf("ordered")).some(({ status }) => status?.phase === "Running"),
    );
    assert.equal(await made(), "data-ordered-0 ordered-0");
    await shell("ordered-0", "touch /tmp/go");
    await until("the second comes", async () =>
      (await made()).includes("data-ordered-1 ordered-0 ordered-1"),
    );
    await until("it may be ready", async () => {
      const touched = await cluster.tryKubectl("exec ordered-1 -- touch /tmp/go");
      return touched.code === 0;
    });
    await ready("ordered", 2);
    const { items } = await cluster.read<{ readonly items: readonly CoreV1Event[] }>(
      "events --field-selector involvedObject.name=ordered",
    );
    const order = [...items]
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map(({ message }) => /^create (Claim \S+|Pod \S+)/.exec(message ?? "")?.[1]);
    assert.deepEqual(order, [
      "Claim data-ordered-0",
      "Pod ordered-0",
      "Claim data-ordered-1",
      "Pod ordered-1",
    ]);
  });

  it("SS-08 SS-18 a Pod that is made again has its name, its volume and its data", async () => {
    await cluster.apply([setWithClaims("es-data")]);
    await ready("es-data", 2);
    const facts = async (): Promise<string> => {
      const { metadata } = await cluster.read<V1PersistentVolumeClaim>("pvc data-es-data-0");
      return `${metadata?.uid} ${await volumeOf("data-es-data-0")}`;
    };
    const [uid, claim] = [(await podsOf("es-data"))[0]?.metadata?.uid, await facts()];
    assert.notEqual(await volumeOf("data-es-data-1"), await volumeOf("data-es-data-0"));
    await shell("es-data-0", "echo index > /data/nodes");
    await run("delete pod es-data-0");
    await until("another es-data-0", async () =>
      (await podsOf("es-data")).some(
        (pod) => pod.metadata?.name === "es-data-0" && pod.metadata.uid !== uid && isReady(pod),
      ),
    );
    assert.equal(await shell("es-data-0", "cat /data/nodes"), "index\n");
    assert.equal(await facts(), claim);
    assert.equal(await shell("es-data-1", "ls /data"), "");
  });

  it("SS-11 without a class nothing makes volumes, and a set waits", async () => {
    const { items } = await cluster.read<{ readonly items: readonly V1StorageClass[] }>("sc");
    assert.equal(items.length, 1);
    await run("delete sc --all");
    await cluster.apply([setWithClaims("stuck")]);
    await told(
      "data-stuck-0",
      /^FailedBinding no persistent volumes available for this claim and no storage class is set$/,
    );
    await told("stuck-0", /^FailedScheduling .*pod has unbound immediate PersistentVolumeClaims/);
    assert.match(
      await run("get pvc,pods -l app=stuck"),
      /data-stuck-0 +Pending[^]*stuck-0 +0\/1 +Pending/,
    );
    const { apiVersion = "storage.k8s.io/v1", kind = "StorageClass", ...known } = items[0]!;
    const { name, annotations } = known.metadata!;
    await cluster.apply([{ ...known, apiVersion, kind, metadata: { name, annotations } }]);
    await ready("stuck", 2);
  });

  it("ST-05 ST-09 a cloud's disk is accepted, and never mounted", async () => {
    const volumes = [{ name: "data", gcePersistentDisk: { pdName: "gce-pd-1", fsType: "ext4" } }];
    await cluster.apply([workload("Deployment", "clouded", { replicas: 1 }, { volumes })]);
    const name = await until(
      "its Pod is there",
      async () => (await podsOf("clouded"))[0]?.metadata?.name,
    );
    await told(name, /^FailedMount Unable to attach or mount volumes: unmounted volumes=\[data\]/);
    await until("it says that it waits", async () =>
      / 0\/1 +ContainerCreating /.test(await run(`get pod ${name} --no-headers`)),
    );
  });

  it("a volume that is deleted while it is bound waits for its claim, and the claim for its Pod", async () => {
    await cluster.apply([claimOf("leaving"), podWith("leaving", "leaving")]);
    await ready("leaving");
    const volume = await volumeOf("leaving");
    const folder = join(cluster.home, cluster.name, "volumes", volume);
    await run(`delete pv ${volume} --wait=false`);
    await run("delete pvc leaving --wait=false");
    const shown = async (object: string): Promise<string> =>
      (await cluster.tryKubectl(`describe ${object}`)).stdout;
    await until("both say so", async () =>
      (await Promise.all([shown(`pv ${volume}`), shown("pvc leaving")])).every((text) =>
        /^Status: +Terminating/m.test(text),
      ),
    );
    assert.match(await shown(`pv ${volume}`), /kubernetes\.io\/pv-protection/);
    assert.match(await shown("pvc leaving"), /kubernetes\.io\/pvc-protection/);
    assert.equal(await shell("leaving", "echo kept >/data/word; cat /data/word"), "kept\n");
    const next = podWith("too-late", "leaving");
    await cluster.apply([next]);
    await told("too-late", /persistentvolumeclaim "leaving" is being deleted/);
    assert.ok(existsSync(join(folder, "word")));
    await run("delete pod too-late leaving");
    await until("claim and volume are gone", async () => {
      const found = await run(`get pv,pvc -A -o name`);
      return !found.includes(volume) && !found.includes("/leaving");
    });
    assert.ok(!existsSync(folder));
  });

  it("ST-32 volumes outlive Pods and the cluster's rest, and go with their claims", async () => {
    const stopped = await cluster.skiff("stop");
    assert.equal(stopped.code, 0, stopped.stderr);
    const started = await cluster.skiff("start", "--kubeconfig", cluster.kubeconfig);
    assert.equal(started.code, 0, started.stderr);
    await until("the data are there", async () => {
      const read = await cluster.tryKubectl("exec es-data-0 -- cat /data/nodes");
      return read.stdout === "index\n";
    });
    const volume = await volumeOf("web-pvc");
    const folder = join(cluster.home, cluster.name, "volumes");
    assert.ok(existsSync(join(folder, volume)));
    await run("delete pod web-pod");
    await run("delete pvc web-pvc");
    await until("the volume is gone", async () => {
      const { code } = await cluster.tryKubectl(`get pv ${volume}`);
      return code !== 0;
    });
    assert.ok(!readdirSync(folder).some((name) => name.includes(volume)));
    assert.equal(await shell("es-data-0", "cat /data/nodes"), "index\n");
  });
});
