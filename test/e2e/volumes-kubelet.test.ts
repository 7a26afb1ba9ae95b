// The kubelet's side of persistent volumes: one kubelet on a real containerd; claims and volumes are bound by the test.
import assert from "node:assert/strict";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { CSINode } from "../../src/api/storage/csi-node.ts";
import type {
  V1ObjectMeta,
  V1PersistentVolumeSpec,
  V1Pod,
  V1PodSpec,
  V1Volume,
} from "../../src/gen/types.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { describeKubelet } from "../support/kubelet-suite.ts";
import { isTrue, type KubeletWorld } from "../support/kubelet-world.ts";
import { waitFor, type PrivateContainerd } from "../support/private-containerd.ts";

const NODE = "node-1";
const FOREVER = "trap 'exit 0' TERM; sleep 1000 & wait";
const sh = (script: string) => ({ command: ["sh", "-c", script] });
/** Of a container: the volume `data` at /data. */
const withData = (script: string, mount: object = {}) => ({
  ...sh(`${script}; ${FOREVER}`),
  volumeMounts: [{ name: "data", mountPath: "/data", ...mount }],
});
const ready = (pod: V1Pod): boolean => isTrue(pod, "Ready");
const claimed = (claimName: string, readOnly = false): V1Volume => ({
  name: "data",
  persistentVolumeClaim: { claimName, readOnly },
});

/** What /stats/summary says of a Pod. */
interface Summary {
  readonly podRef: { readonly name: string };
  readonly volume: readonly {
    readonly name: string;
    readonly usedBytes: number;
    readonly pvcRef?: { readonly name: string; readonly namespace: string };
  }[];
  readonly "ephemeral-storage": { readonly usedBytes: number };
}

describeKubelet("a kubelet's persistent volumes", import.meta.url, suite);

function suite(world: KubeletWorld, containerd: PrivateContainerd): void {
  const folder = (name: string): string => join(containerd.folder, name);
  /** `pattern`: a whole event, or what it is like. */
  const eventually = (name: string, pattern: RegExp | string): Promise<void> =>
    waitFor(
      async () =>
        (await world.events(name)).some((text) =>
          typeof pattern === "string" ? text === pattern : pattern.test(text),
        ),
      20_000,
      `an event of ${name} like ${pattern}`,
    );
  const makeClaim = (name: string, metadata: V1ObjectMeta = {}, spec: object = {}) =>
    world.client.create(PersistentVolumeClaim, {
      metadata: { name, namespace: "default", ...metadata },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
        resources: { requests: { storage: "1Mi" } },
        ...spec,
      },
    });
  const makeVolume = (name: string, claim: PersistentVolumeClaim, spec: V1PersistentVolumeSpec) =>
    world.client.create(PersistentVolume, {
      metadata: { name },
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Mi" },
        claimRef: {
          namespace: "default",
          name: claim.metadata?.name ?? "",
          uid: claim.metadata?.uid ?? "",
        },
        ...spec,
      },
    });
  /** What the control plane does when it binds them. */
  const bind = async (name: string, volumeName: string): Promise<void> => {
    const key = { namespace: "default", name };
    const patch = (body: object) => ({ type: "merge", body }) as const;
    await world.client.patch(PersistentVolumeClaim, key, patch({ spec: { volumeName } }));
    const status = { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Mi" } };
    await world.client.patch(PersistentVolumeClaim, key, patch({ status }), {
      subresource: "status",
    });
  };
  /** A claim and its volume, both called `name`, bound. */
  const bound = async (
    name: string,
    spec: V1PersistentVolumeSpec,
    metadata: V1ObjectMeta = {},
  ): Promise<void> => {
    await makeVolume(name, await makeClaim(name, metadata), spec);
    await bind(name, name);
  };
  const driver = (volumeHandle: string) => ({
    csi: { driver: "volumes.skiff.dev", volumeHandle },
  });
  const attachedName = (handle: string): string => `kubernetes.io/csi/volumes.skiff.dev^${handle}`;
  /** What the attach/detach controller does. */
  const attach = async (...handles: readonly string[]): Promise<void> => {
    const volumesAttached = handles.map((handle) => ({
      name: attachedName(handle),
      devicePath: "",
    }));
    await world.client.patch(
      Node,
      { name: NODE },
      { type: "merge", body: { status: { volumesAttached } } },
      { subresource: "status" },
    );
  };
  const inUse = async (): Promise<readonly string[]> =>
    (await world.client.get(Node, { name: NODE })).status?.volumesInUse ?? [];
  const runWith = (
    name: string,
    volume: V1Volume,
    script: string,
    spec: Partial<V1PodSpec> = {},
    mount: object = {},
  ): Promise<V1Pod> => world.run(name, withData(script, mount), { volumes: [volume], ...spec });
  const remove = async (name: string): Promise<void> => {
    const { metadata } = await world.get(name);
    await world.client.delete(
      Pod,
      { namespace: "default", name },
      { graceSeconds: 1, ifUid: metadata?.uid ?? "" },
    );
    await world.untilGone(name);
  };

  it("the node says which machine it is on, and that it has the cluster's driver", async () => {
    await waitFor(async () => {
      const { items } = await world.client.list(CSINode);
      return items[0]?.spec.drivers.length === 1;
    });
    const { metadata } = await world.client.get(Node, { name: NODE });
    assert.equal(metadata?.labels?.["topology.skiff.dev/machine"], NODE);
    const told = await world.client.get(CSINode, { name: NODE });
    assert.equal(told.metadata?.ownerReferences?.[0]?.uid, metadata?.uid);
    assert.deepEqual(told.spec.drivers, [
      { name: "volumes.skiff.dev", nodeID: NODE, topologyKeys: ["topology.skiff.dev/machine"] },
    ]);
  });

  it("a Pod waits until its claim exists and is bound, and has no sandbox meanwhile", async () => {
    await runWith("early", claimed("late"), "cat /data/hello");
    await eventually(
      "early",
      "FailedMount Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], " +
        "failed to process volumes=[data]: error processing PVC default/late: " +
        'failed to fetch PVC from API server: persistentvolumeclaims "late" not found',
    );
    const claim = await makeClaim("late");
    await eventually("early", /: error processing PVC default\/late: PVC is not bound$/);
    const waiting = await world.get("early");
    const [status] = waiting.status?.containerStatuses ?? [];
    assert.equal(status?.state?.waiting?.reason, "ContainerCreating");
    assert.equal(waiting.status?.podIP, undefined);
    mkdirSync(folder("late"));
    writeFileSync(join(folder("late"), "hello"), "found\n");
    await makeVolume("late", claim, { hostPath: { path: folder("late"), type: "Directory" } });
    await bind("late", "late");
    await world.until("early", ready);
    await waitFor(async () => (await world.log("early")) === "found\n");
    await remove("early");
    assert.equal(readFileSync(join(folder("late"), "hello"), "utf8"), "found\n");
  });

  it("refuses a volume of another claim, a claim that goes, and one that another Pod's volume made", async () => {
    const claim = await makeClaim("robbed");
    const stranger = { metadata: { name: "robbed", uid: "another" } };
    await makeVolume("taken", stranger, { hostPath: { path: "/tmp" } });
    await bind("robbed", "taken");
    await runWith("robbed", claimed("robbed"), "true");
    await eventually(
      "robbed",
      new RegExp(
        `found PV object taken but its pvc.Spec.ClaimRef.UID another does not point to claim.UID ${claim.metadata?.uid}$`,
      ),
    );
    await bound("going", { hostPath: { path: "/tmp" } }, { finalizers: ["test.skiff.dev/held"] });
    await world.client.delete(PersistentVolumeClaim, { namespace: "default", name: "going" });
    await runWith("leaver", claimed("going"), "true");
    await eventually("leaver", /error processing PVC default\/going: PVC is being deleted$/);
    await bound("brief-data", { hostPath: { path: "/tmp" } });
    const volumeClaimTemplate = {
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    };
    await runWith("brief", { name: "data", ephemeral: { volumeClaimTemplate } }, "true");
    await eventually(
      "brief",
      /PVC default\/brief-data was not created for pod default\/brief \(pod is not owner\)$/,
    );
    for (const name of ["robbed", "leaver", "brief"]) await remove(name);
    await world.client.patch(
      PersistentVolumeClaim,
      { namespace: "default", name: "going" },
      { type: "merge", body: { metadata: { finalizers: null } } },
    );
  });

  it("an ephemeral volume is the claim that the Pod owns", async () => {
    const volumeClaimTemplate = {
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    };
    const volume = { name: "data", ephemeral: { volumeClaimTemplate } };
    const pod = await runWith("passing", volume, "echo mine > /data/file");
    const owner = { apiVersion: "v1", kind: "Pod", name: "passing", uid: pod.metadata?.uid ?? "" };
    mkdirSync(folder("passing"));
    await bound(
      "passing-data",
      { hostPath: { path: folder("passing") } },
      { ownerReferences: [{ ...owner, controller: true }] },
    );
    await world.until("passing", ready);
    await waitFor(() => existsSync(join(folder("passing"), "file")));
    await remove("passing");
  });

  it("a volume of the cluster waits for its attachment, and its data outlive Pods", async () => {
    await bound("disk", driver("disk-1"));
    const pod = await runWith("first", claimed("disk"), "echo kept > /data/file");
    await waitFor(async () => (await inUse()).includes(attachedName("disk-1")));
    assert.equal(existsSync(folder("volumes/disk-1")), false, "mounted before it was attached");
    await attach("disk-1");
    await world.until("first", ready);
    const target = folder(
      `kubelet/pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/disk/mount/file`,
    );
    await waitFor(() => existsSync(target) && readFileSync(target, "utf8") === "kept\n");
    assert.equal(statSync(folder("volumes/disk-1")).mode & 0o7777, 0o777);
    await remove("first");
    await waitFor(async () => (await inUse()).length === 0);
    assert.equal(existsSync(folder(`kubelet/pods/${pod.metadata?.uid}`)), false);
    await runWith("second", claimed("disk"), "cat /data/file");
    await world.until("second", ready);
    await waitFor(async () => (await world.log("second")) === "kept\n");
    await remove("second");
    await attach();
  });

  it("how full a claim is stands in the summary and the metrics, and is none of the Pod's own storage", async () => {
    await bound("filled", driver("filled-1"));
    await attach("filled-1");
    const fill = "head -c 3000000 /dev/zero > /data/file; echo filled";
    await runWith("filler", claimed("filled"), fill);
    await world.until("filler", ready);
    await waitFor(async () => (await world.log("filler")) === "filled\n");
    const summaryOf = async (): Promise<Summary> => {
      const summary = JSON.parse((await world.ask("/stats/summary")).body) as { pods: Summary[] };
      return summary.pods.find(({ podRef }) => podRef.name === "filler")!;
    };
    // Nobody waits for a reading: the first question begins it.
    await waitFor(async () => ((await summaryOf()).volume ?? []).length > 0);
    const pod = await summaryOf();
    const [data] = pod.volume;
    assert.deepEqual(
      [data?.name, data?.pvcRef],
      ["data", { name: "filled", namespace: "default" }],
    );
    assert.ok(data!.usedBytes >= 3_000_000 && data!.usedBytes < 4_000_000, `${data!.usedBytes}`);
    assert.ok(pod["ephemeral-storage"].usedBytes < 3_000_000);
    const { body } = await world.ask("/metrics");
    const labels = '{namespace="default",persistentvolumeclaim="filled"}';
    assert.ok(body.includes(`kubelet_volume_stats_used_bytes${labels} ${data!.usedBytes}\n`));
    await remove("filler");
    await attach();
  });

  it("a released volume's folder goes when the node is asked to remove it", async () => {
    for (const name of ["kept", "pvc-a", "pvc-b"]) {
      mkdirSync(join(folder("volumes"), name), { recursive: true });
      writeFileSync(join(folder("volumes"), name, "file"), "");
    }
    const ask = (text: string | null): Promise<Node> => {
      const [a, b] = ["a", "b"].map((name) => `removal.volumes.skiff.dev/pvc-${name}`);
      const annotations = { [a!]: text && `${text}:pvc-a`, [b!]: text && `${text}:pvc-b` };
      return world.client.patch(
        Node,
        { name: NODE },
        { type: "merge", body: { metadata: { annotations } } },
      );
    };
    await ask("wanted");
    const told = async (): Promise<string> => {
      const { metadata } = await world.client.get(Node, { name: NODE });
      return JSON.stringify(metadata?.annotations);
    };
    await waitFor(async () => /done:pvc-a.*done:pvc-b/.test(await told()));
    const left = readdirSync(folder("volumes")).filter((name) => /^(kept|.*pvc-)/.test(name));
    assert.deepEqual(left, ["kept"]);
    await ask(null);
  });

  it("mounts are found again by a kubelet that starts anew", async () => {
    await bound("lasting", driver("lasting-1"));
    await attach("lasting-1");
    const again = { ...claimed("lasting"), name: "again" };
    const pod = await runWith("steady", claimed("lasting"), "echo here > /data/file", {
      volumes: [claimed("lasting"), again],
    });
    await world.until("steady", ready);
    const mounts = (): number =>
      readFileSync("/proc/self/mountinfo", "utf8").split(`${pod.metadata?.uid}/volumes/`).length;
    const before = mounts();
    assert.equal(before, 2);
    await world.restartKubelet();
    assert.deepEqual(await inUse(), [attachedName("lasting-1")]);
    assert.equal(mounts(), before);
    await remove("steady");
    await waitFor(async () => (await inUse()).length === 0);
    assert.equal(mounts(), 1);
    await attach();
  });

  it("what a Pod may only read it cannot write: its claim, the volume, the access mode", async () => {
    const shown = { ...driver("shown-1"), accessModes: ["ReadOnlyMany"] };
    await bound("shown", shown);
    await bound("written", driver("written-1"));
    mkdirSync(folder("plain"));
    await bound("plain", { hostPath: { path: folder("plain") } });
    await attach("shown-1", "written-1");
    const script = "touch /data/x || echo refused";
    await runWith("by-mode", claimed("shown"), script);
    await runWith("by-claim", claimed("written", true), script);
    await runWith("by-path", claimed("plain", true), script);
    for (const name of ["by-mode", "by-claim", "by-path"]) {
      await world.until(name, ready);
      await waitFor(async () => (await world.log(name)).includes("refused"));
      await remove(name);
    }
    await attach();
  });

  it("mount options apply where a file system is mounted, and are refused elsewhere", async () => {
    mkdirSync(folder("options"));
    const mountOptions = ["noexec", "nosuid"];
    await bound("options", { ...driver("options-1"), mountOptions });
    await bound("no-options", { hostPath: { path: folder("options") }, mountOptions });
    await attach("options-1");
    await runWith("strict", claimed("options"), "cat /proc/mounts");
    await runWith("lax", claimed("no-options"), "true");
    await eventually(
      "lax",
      /^FailedMount MountVolume.MountOptionSupport check failed for volume "no-options" : Mount options are not supported for this volume type$/,
    );
    await world.until("strict", ready);
    await waitFor(async () => / \/data \S+ rw,nosuid,noexec,/.test(await world.log("strict")));
    await remove("strict");
    await remove("lax");
    await attach();
  });

  it("a group gets the whole volume; with OnRootMismatch only where the root is not its own", async () => {
    await bound("grouped", driver("grouped-1"));
    await attach("grouped-1");
    const root = folder("volumes/grouped-1");
    mkdirSync(join(root, "below"), { recursive: true });
    writeFileSync(join(root, "below/file"), "", { mode: 0o600 });
    const outside = folder("outside");
    writeFileSync(outside, "", { mode: 0o600 });
    symlinkSync(outside, join(root, "link"));
    const securityContext = { fsGroup: 2000, fsGroupChangePolicy: "OnRootMismatch" };
    await runWith("group-1", claimed("grouped"), "true", { securityContext });
    await world.until("group-1", ready);
    const facts = (path: string): string => {
      const { gid, mode } = statSync(path);
      return `${gid} ${(mode & 0o7777).toString(8)}`;
    };
    assert.equal(facts(root), "2000 2775");
    assert.equal(facts(join(root, "below")), "2000 2775");
    assert.equal(facts(join(root, "below/file")), "2000 660");
    assert.equal(facts(outside), "0 600");
    await remove("group-1");
    chownSync(join(root, "below/file"), 0, 0);
    await runWith("group-2", claimed("grouped"), "true", { securityContext });
    await world.until("group-2", ready);
    assert.equal(statSync(join(root, "below/file")).gid, 0);
    await remove("group-2");
    await runWith("group-3", claimed("grouped"), "true", { securityContext: { fsGroup: 2000 } });
    await world.until("group-3", ready);
    assert.equal(statSync(join(root, "below/file")).gid, 2000);
    await remove("group-3");
    await attach();
  });

  it("a subPath is a part of its volume, and cannot lead out of it", async () => {
    await bound("parted", driver("parted-1"));
    await attach("parted-1");
    const root = folder("volumes/parted-1");
    mkdirSync(root, { recursive: true });
    symlinkSync("/etc", join(root, "escape"));
    await runWith("part", claimed("parted"), "echo in > /data/file", {}, { subPath: "a/b" });
    await world.until("part", ready);
    await waitFor(() => existsSync(join(root, "a/b/file")));
    await runWith("thief", claimed("parted"), "true", {}, { subPath: "escape" });
    await eventually("thief", /failed to prepare subPath for volumeMount "data"/);
    await remove("part");
    await remove("thief");
    await attach();
  });

  it("a local volume must be there, and on this node", async () => {
    const on = (node: string) => {
      const key = "kubernetes.io/hostname";
      const matchExpressions = [{ key, operator: "In", values: [node] }];
      return { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } };
    };
    await bound("distant", { local: { path: folder("local") }, ...on("another") });
    await runWith("far", claimed("distant"), "true");
    await eventually(
      "far",
      /^FailedMount MountVolume.NodeAffinity check failed for volume "distant" : no matching NodeSelectorTerms$/,
    );
    await remove("far");
    await bound("local", { local: { path: folder("local") }, ...on(NODE) });
    await runWith("near", claimed("local"), "echo near > /data/file");
    await eventually(
      "near",
      /^FailedMount MountVolume.NewMounter initialization failed for volume "local" : path ".*\/local" does not exist$/,
    );
    mkdirSync(folder("local"));
    await world.until("near", ready);
    await waitFor(() => existsSync(join(folder("local"), "file")));
    await remove("near");
    assert.deepEqual(readdirSync(folder("local")), ["file"]);
  });

  it("says what it cannot mount: other drivers, clouds' disks, NFS without a server, handles that lead away", async () => {
    const csi = { driver: "disks.example.com" };
    const unknown = `driver name ${csi.driver} not found in the list of registered CSI drivers`;
    await bound("foreign", { csi: { ...csi, volumeHandle: "x" } });
    await bound("cloud", { gcePersistentDisk: { pdName: "disk" } });
    await bound("remote", { nfs: { server: "127.0.0.1", path: "/none" } });
    await bound("crooked", driver("../crooked"));
    await attach("../crooked");
    const cases: readonly (readonly [string, V1Volume, RegExp | string])[] = [
      [
        "foreign",
        claimed("foreign"),
        'FailedMount MountVolume.MountDevice failed for volume "foreign" : kubernetes.io/csi: ' +
          `attacher.MountDevice failed to create newCsiDriverClient: ${unknown}`,
      ],
      [
        "inline",
        { name: "data", csi },
        'FailedMount MountVolume.SetUp failed for volume "data" : kubernetes.io/csi: ' +
          `mounter.SetUpAt failed to get CSI client: ${unknown}`,
      ],
      [
        "cloud",
        claimed("cloud"),
        /failed to process volumes=\[data\]: failed to get Plugin from volumeSpec for volume "cloud" err=no volume plugin matched$/,
      ],
      [
        "inline-cloud",
        { name: "data", awsElasticBlockStore: { volumeID: "vol-1" } },
        /failed to get Plugin from volumeSpec for volume "data" err=no volume plugin matched$/,
      ],
      [
        "remote",
        claimed("remote"),
        /^FailedMount MountVolume.SetUp failed for volume "remote" : mount failed: .*\nMounting arguments: -t nfs 127.0.0.1:\/none /,
      ],
      [
        "crooked",
        claimed("crooked"),
        /^FailedMount MountVolume.SetUp failed for volume "crooked" : .*the volume handle "..\/crooked" cannot name a folder/,
      ],
    ];
    for (const [name, volume] of cases) await runWith(name, volume, "true");
    for (const [name, , message] of cases) {
      await eventually(name, message);
      const [status] = (await world.get(name)).status?.containerStatuses ?? [];
      assert.equal(status?.state?.waiting?.reason, "ContainerCreating", name);
      await remove(name);
    }
    await attach();
  });
}
