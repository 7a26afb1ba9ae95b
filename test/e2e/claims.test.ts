// Claims and volumes as users and administrators see them: what kinds there are, who gets which, classes and their provisioners.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { WAITING } from "../support/sample-apps.ts";

/** A PersistentVolume of 1Gi with a folder of the node, of class `manual`, with `spec` laid over it. */
function volume(name: string, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "manual",
      ...spec,
    },
  };
}

const folder = (name: string) => ({
  hostPath: { path: `/run/claims/${name}`, type: "DirectoryOrCreate" },
});

/** A claim of `storage`; its class is what `spec` says. */
function claim(name: string, storage: string, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...spec },
  };
}

const storageClass = (name: string, provisioner: string, more: object = {}): object => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name },
  provisioner,
  ...more,
});

/** What the container of a Pod with the claim at `/data` is. */
const using = (claimName: string) => ({
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      name: "main",
      image: "busybox:1.29",
      command: ["/bin/sh", "-c", WAITING],
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    },
  ],
  volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
});

describe("Claims and volumes", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const fieldOf = (object: string, path: string): Promise<string> =>
    run(["get", ...object.split(" "), "-o", `jsonpath={${path}}`]);
  /** The cells of one row; the last, its age, is left out. */
  const cellsOf = async (line: string): Promise<string> =>
    (await run(`get ${line} --no-headers`)).trim().split(/ +/).slice(0, -1).join(" ");
  const shows = (line: string, cells: string): Promise<unknown> =>
    until(`${line} shows ${cells}`, async () => (await cellsOf(line)) === cells);
  const header = async (line: string): Promise<string> =>
    (await run(`get ${line}`)).split("\n")[0]!.trim().replaceAll(/ {2,}/g, "|");
  const says = (object: string, words: string): Promise<unknown> =>
    until(`${object} says "${words}"`, async () =>
      (await run(`describe ${object}`)).includes(words),
    );
  const isBound = (name: string): Promise<unknown> =>
    until(`${name} is bound`, async () => (await fieldOf(`pvc ${name}`, ".status.phase")) === "Bound"); // prettier-ignore

  before(async () => {
    cluster = await startCluster(["busybox"]);
  });
  after(() => cluster?.close());

  it("ST-10 ST-11 a volume belongs to no namespace, and says what it holds, how and where", async () => {
    const nfs = { server: "10.0.0.9", path: "/exports" };
    const spec = { nfs, capacity: { storage: "5Gi" }, accessModes: ["ReadWriteMany", "ReadOnlyMany"] }; // prettier-ignore
    await cluster.apply([volume("share", spec)]);
    await shows("pv share", "share 5Gi ROX,RWX Retain Available manual <unset>");
    assert.equal(
      await header("pv"),
      "NAME|CAPACITY|ACCESS MODES|RECLAIM POLICY|STATUS|CLAIM|STORAGECLASS|VOLUMEATTRIBUTESCLASS|REASON|AGE",
    );
    assert.equal(await fieldOf("pv share -n kube-system", ".metadata.namespace"), "");
    assert.match(await run("describe pv share"), /Type: +NFS .*\n +Server: +10\.0\.0\.9\n +Path: +\/exports\n/); // prettier-ignore
  });

  it("ST-08 ST-12 ST-13 a volume may be of any kind of storage, and is one of them", async () => {
    const sources: Record<string, object> = {
      awsElasticBlockStore: { volumeID: "vol-1" },
      azureDisk: { diskName: "d", diskURI: "u" },
      cephfs: { monitors: ["m"] },
      fc: { targetWWNs: ["w"], lun: 1 },
      gcePersistentDisk: { pdName: "gce-pd-1" },
      glusterfs: { endpoints: "e", path: "p" },
      iscsi: { targetPortal: "10.0.0.9", iqn: "iqn.2026-01.example:a", lun: 0 },
    };
    const volumes = Object.entries(sources).map(([kind, source]) =>
      volume(`of-${kind.toLowerCase()}`, { [kind]: source }),
    );
    await cluster.apply(volumes);
    for (const kind of Object.keys(sources))
      await shows(`pv of-${kind.toLowerCase()}`, `of-${kind.toLowerCase()} 1Gi RWO Retain Available manual <unset>`); // prettier-ignore
    const local = { local: { path: "/mnt/disk" } };
    const refused = await cluster.tryKubectl("create -f -", {
      stdin: JSON.stringify(volume("of-local", local)),
    });
    assert.match(refused.stderr, /spec\.nodeAffinity: Required value: Local volume requires node affinity/); // prettier-ignore
    const terms = [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["n"] }] }]; // prettier-ignore
    const nodeAffinity = { required: { nodeSelectorTerms: terms } };
    await cluster.apply([volume("of-local", { ...local, nodeAffinity })]);
    await shows("pv of-local", "of-local 1Gi RWO Retain Available manual <unset>");
  });

  it("ST-16 ST-18 a claim gets the smallest volume that has what it asks for", async () => {
    const manual = { storageClassName: "fitting" };
    await cluster.apply([
      volume("fit-large", { ...folder("a"), ...manual, capacity: { storage: "9Gi" } }),
      volume("fit-right", { ...folder("b"), ...manual, capacity: { storage: "3Gi" } }),
      volume("fit-small", { ...folder("c"), ...manual }),
    ]);
    for (const name of ["fit-large", "fit-right", "fit-small"])
      await until(`${name} is free`, async () =>
        (await cellsOf(`pv ${name}`)).includes("Available"),
      );
    await cluster.apply([claim("fits", "2Gi", manual)]);
    await shows("pvc fits", "fits Bound fit-right 3Gi RWO fitting <unset>");
    await shows("pv fit-right", "fit-right 3Gi RWO Retain Bound default/fits fitting <unset>");
    assert.equal(
      await header("pvc"),
      "NAME|STATUS|VOLUME|CAPACITY|ACCESS MODES|STORAGECLASS|VOLUMEATTRIBUTESCLASS|AGE",
    );
    await cluster.apply([claim("too-much", "20Gi", manual)]);
    await says("pvc too-much", 'storageclass.storage.k8s.io "fitting" not found');
    assert.equal(await cellsOf("pvc too-much"), "too-much Pending fitting <unset>");
  });

  it("ST-19 ST-20 a claim is tied to the volume that it names, and a Deployment names the claim alone", async () => {
    await cluster.apply([
      volume("pv-0", folder("zero")),
      volume("pv-1", { ...folder("one"), capacity: { storage: "5Gi" } }),
      claim("pvc-1", "1Gi", { volumeName: "pv-1", storageClassName: "manual" }),
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "tomcat" },
        spec: {
          selector: { matchLabels: { app: "tomcat" } },
          template: { metadata: { labels: { app: "tomcat" } }, spec: using("pvc-1") },
        },
      },
    ]);
    await shows("pvc pvc-1", "pvc-1 Bound pv-1 5Gi RWO manual <unset>");
    await run("rollout status deploy/tomcat --timeout=40s");
    const volumes = await fieldOf("pods -l app=tomcat", ".items[0].spec.volumes[0]");
    assert.equal(volumes, '{"name":"data","persistentVolumeClaim":{"claimName":"pvc-1"}}');
    await run("exec deploy/tomcat -- touch /data/file");
  });

  it("ST-15 a Pod waits for a claim that has no volume, and runs when there is one", async () => {
    await cluster.apply([
      claim("early", "1Gi", { storageClassName: "none-yet" }),
      { apiVersion: "v1", kind: "Pod", metadata: { name: "patient" }, spec: using("early") },
    ]);
    await says("pod patient", "pod has unbound immediate PersistentVolumeClaims");
    await cluster.apply([volume("at-last", { ...folder("last"), storageClassName: "none-yet" })]);
    await run("wait --for=condition=Ready pod/patient --timeout=40s");
    assert.equal(await fieldOf("pvc early", ".spec.volumeName"), "at-last");
  });

  it("ST-21 ST-22 a claim of no class takes what is there; one that names none gets a new volume", async () => {
    await cluster.apply([volume("left", { ...folder("left"), storageClassName: "" })]);
    await shows("pv left", "left 1Gi RWO Retain Available <unset>");
    await cluster.apply([claim("dynamic", "1Gi")]);
    await isBound("dynamic");
    const uid = await fieldOf("pvc dynamic", ".metadata.uid");
    assert.equal(await cellsOf("pvc dynamic"), `dynamic Bound pvc-${uid} 1Gi RWO standard <unset>`);
    await shows(`pv pvc-${uid}`, `pvc-${uid} 1Gi RWO Delete Bound default/dynamic standard <unset>`); // prettier-ignore
    assert.equal(await cellsOf("pv left"), "left 1Gi RWO Retain Available <unset>");
    await says("pvc dynamic", `Successfully provisioned volume pvc-${uid}`);
    await cluster.apply([claim("static", "1Gi", { storageClassName: "" })]);
    await shows("pvc static", "static Bound left 1Gi RWO <unset>");
    await cluster.apply([claim("second", "1Gi", { storageClassName: "" })]);
    await says(
      "pvc second",
      "no persistent volumes available for this claim and no storage class is set",
    );
  });

  it("ST-23 a class names who makes its volumes, and a claim waits for that", async () => {
    await cluster.apply([
      storageClass("ebs", "kubernetes.io/aws-ebs", {
        parameters: { type: "gp2" },
        volumeBindingMode: "Immediate",
      }),
      claim("cloudy", "1Gi", { storageClassName: "ebs" }),
    ]);
    assert.equal(await cellsOf("sc ebs"), "ebs kubernetes.io/aws-ebs Delete Immediate false");
    await says(
      "pvc cloudy",
      "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com'",
    );
    assert.equal(await cellsOf("pvc cloudy"), "cloudy Pending ebs <unset>");
  });

  it("ST-24 a claim of a class is given a volume that nobody made by hand, and the class says what becomes of it", async () => {
    await cluster.apply([
      storageClass("aws-sc", "volumes.skiff.dev", { reclaimPolicy: "Retain" }),
      claim("mysql", "20Gi", { storageClassName: "aws-sc" }),
    ]);
    await isBound("mysql");
    const name = await fieldOf("pvc mysql", ".spec.volumeName");
    await shows(`pv ${name}`, `${name} 20Gi RWO Retain Bound default/mysql aws-sc <unset>`);
    const made = `.metadata.annotations.pv\\.kubernetes\\.io/provisioned-by`;
    assert.equal(await fieldOf(`pv ${name}`, made), "volumes.skiff.dev");
    await run("delete pvc mysql");
    await shows(`pv ${name}`, `${name} 20Gi RWO Retain Released default/mysql aws-sc <unset>`);
  });

  it("ST-25 ST-26 a new cluster has a provisioner and a class that is marked as the default", async () => {
    assert.equal(
      await header("sc"),
      "NAME|PROVISIONER|RECLAIMPOLICY|VOLUMEBINDINGMODE|ALLOWVOLUMEEXPANSION|AGE",
    );
    assert.equal(
      await cellsOf("storageclass standard"),
      "standard (default) volumes.skiff.dev Delete Immediate true",
    );
    assert.equal(
      await cellsOf("csidriver"),
      "volumes.skiff.dev true false false <unset> false Persistent",
    );
    assert.match(await cellsOf("csinodes"), /^e2e-\d+-1 1$/);
  });

  it("ST-40 who develops deals with claims, who administers with volumes", async () => {
    await run("create namespace team");
    await run("create rolebinding dev --clusterrole=edit --user=dev -n team");
    const may = async (line: string): Promise<string> =>
      (await cluster.tryKubectl(`auth can-i ${line} --as=dev -n team`)).stdout.trim();
    assert.equal(await may("create persistentvolumeclaims"), "yes");
    assert.equal(await may("create persistentvolumes"), "no");
    assert.equal(await may("create storageclasses.storage.k8s.io"), "no");
    const made = await cluster.tryKubectl("create -f - --as=dev -n team", {
      stdin: JSON.stringify(claim("mine", "1Gi")),
    });
    assert.equal(made.stdout, "persistentvolumeclaim/mine created\n");
    await until(
      "it has a volume",
      async () => (await fieldOf("pvc mine -n team", ".status.phase")) === "Bound",
    );
  });
});
