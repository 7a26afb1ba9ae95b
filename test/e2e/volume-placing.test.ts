// Volumes and nodes: where the scheduler puts Pods with claims, what is attached where, and what a Pod is told meanwhile.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1VolumeAttachment,
} from "../../src/gen/types.ts";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { shellPod, WAITING } from "../support/sample-apps.ts";

const DATA_MOUNT = [{ name: "data", mountPath: "/data" }];

function claim(name: string, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } }, ...spec },
  };
}

/** A Pod with a claim at /data. */
function podWith(name: string, claimName: string, spec: object = {}): object {
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
  return shellPod(name, WAITING, {
    container: { volumeMounts: DATA_MOUNT },
    spec: { volumes, ...spec },
  });
}

describe("volumes and nodes", () => {
  let cluster: TestCluster;
  let [first, second] = ["", ""];

  before(async () => {
    cluster = await startCluster(["busybox"], "--nodes", "2");
    [first, second] = [`${cluster.name}-1`, `${cluster.name}-2`];
  });
  after(() => cluster.close());

  const isRunning = async (name: string): Promise<boolean> =>
    (await cluster.read<V1Pod>(`pod ${name}`)).status?.phase === "Running";

  /** Why a Pod has no node, once the scheduler has said so. */
  const whyPending = (name: string): Promise<string> =>
    until(`${name} is told why it waits`, async () => {
      const { status } = await cluster.read<V1Pod>(`pod ${name}`);
      return status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;
    });

  it("a claim that waits for its first Pod gets its volume for that Pod's node", async () => {
    await cluster.apply([
      {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "late" },
        provisioner: "volumes.skiff.dev",
        volumeBindingMode: "WaitForFirstConsumer",
      },
      claim("late", { storageClassName: "late" }),
    ]);
    const waiting = await until("the claim is told that it waits", async () =>
      /WaitForFirstConsumer/.test(await cluster.kubectl("describe pvc late")),
    );
    assert.ok(waiting);
    assert.equal(
      (await cluster.read<V1PersistentVolumeClaim>("pvc late")).status?.phase,
      "Pending",
    );
    const nodeSelector = { "kubernetes.io/hostname": second };
    await cluster.apply([podWith("late", "late", { nodeSelector })]);
    await until("the Pod runs", () => isRunning("late"));
    const { metadata, spec } = await cluster.read<V1PersistentVolumeClaim>("pvc late");
    assert.equal(metadata?.annotations?.["volume.kubernetes.io/selected-node"], second);
    const { items } = await cluster.read<{ items: V1VolumeAttachment[] }>("volumeattachments");
    const own = items.filter((one) => one.spec.source.persistentVolumeName === spec?.volumeName);
    assert.deepEqual(
      own.map(({ spec: { nodeName }, status }) => `${nodeName} ${status?.attached}`),
      [`${second} true`],
    );
    assert.match(
      await cluster.kubectl("describe pod late"),
      /SuccessfulAttachVolume +\S+ +attachdetach-controller +AttachVolume\.Attach succeeded for volume "pvc-/,
    );
  });

  it("a volume is detached when the last Pod of its node has gone", async () => {
    const { spec } = await cluster.read<V1PersistentVolumeClaim>("pvc late");
    await cluster.kubectl("delete pod late");
    await until("nothing is attached", async () => {
      const { items } = await cluster.read<{ items: V1VolumeAttachment[] }>("volumeattachments");
      return items.every((one) => one.spec.source.persistentVolumeName !== spec?.volumeName);
    });
    const listed = await cluster.kubectl(
      `get node ${second} -o jsonpath={.status.volumesAttached}`,
    );
    assert.equal(listed, "");
  });

  it("a claim for one Pod is for one Pod", async () => {
    await cluster.apply([
      claim("own", { accessModes: ["ReadWriteOncePod"] }),
      podWith("holder", "own", { nodeName: first }),
    ]);
    await until("the first Pod runs", () => isRunning("holder"));
    await cluster.apply([podWith("heir", "own")]);
    assert.match(
      await whyPending("heir"),
      /^0\/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\. /,
    );
    const why = await cluster.skiff("why", "pod/heir");
    assert.match(why.stdout, /the Pod that has the claim would have to go/);
    await cluster.kubectl("delete pod holder");
    await until("the next Pod runs", () => isRunning("heir"));
  });

  it("a Pod goes where its volume can be, and says when that is nowhere", async () => {
    const volumeOn = (name: string, host: string): object => {
      const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [host] }];
      return {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name },
        spec: {
          capacity: { storage: "10Mi" },
          accessModes: ["ReadWriteOnce"],
          hostPath: { path: `/tmp/${name}` },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
        },
      };
    };
    await cluster.apply([
      volumeOn("here", second),
      volumeOn("away", "elsewhere"),
      claim("here", { storageClassName: "", volumeName: "here" }),
      claim("away", { storageClassName: "", volumeName: "away" }),
      podWith("here", "here"),
      podWith("away", "away"),
    ]);
    await until("the Pod runs", () => isRunning("here"));
    assert.equal((await cluster.read<V1Pod>("pod here")).spec?.nodeName, second);
    const told = await until("the other is told", async () => {
      const text = await whyPending("away");
      return text.includes("affinity") && text;
    });
    assert.match(
      told,
      /^0\/2 nodes are available: 2 node\(s\) didn't match PersistentVolume's node affinity\. /,
    );
    const why = await cluster.skiff("why", "pod/away");
    assert.match(why.stdout, /its volume can be used on other nodes only/);
  });

  it("a generic ephemeral volume comes and goes with its Pod", async () => {
    const volumeClaimTemplate = {
      metadata: { labels: { made: "for-it" } },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } } },
    };
    const volumes = [{ name: "data", ephemeral: { volumeClaimTemplate } }];
    await cluster.apply([
      shellPod("brief", WAITING, { container: { volumeMounts: DATA_MOUNT }, spec: { volumes } }),
    ]);
    await until("the Pod runs", () => isRunning("brief"));
    const made = await cluster.read<V1PersistentVolumeClaim>("pvc brief-data");
    assert.deepEqual(made.metadata?.labels, { made: "for-it" });
    const volume = await cluster.read<V1PersistentVolume>(`pv ${made.spec?.volumeName}`);
    assert.equal(volume.spec?.claimRef?.name, "brief-data");
    await cluster.kubectl("delete pod brief");
    await until("the claim has gone", async () => {
      const { code } = await cluster.tryKubectl("get pvc brief-data");
      return code !== 0;
    });
  });
});
