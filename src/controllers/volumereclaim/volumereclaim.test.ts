import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { plan, volumeReclaimController } from "./volumereclaim.ts";

const KEY = "removal.volumes.skiff.dev/pvc-1";
const MADE_BY = "pv.kubernetes.io/provisioned-by";
const IN_USE = "kubernetes.io/csi/volumes.skiff.dev^pvc-1";

/** `pvc-1 Released Delete`, on machine m. */
function volume(text = "pvc-1 Released Delete", change: object = {}): PersistentVolume {
  const [name = "", phase = "", policy = ""] = text.split(" ");
  const match = { key: "topology.skiff.dev/machine", operator: "In", values: ["m"] };
  return {
    metadata: { name, uid: "u", annotations: { [MADE_BY]: "volumes.skiff.dev" } },
    spec: {
      csi: { driver: "volumes.skiff.dev", volumeHandle: "pvc-1" },
      persistentVolumeReclaimPolicy: policy,
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [match] }] } },
      ...change,
    },
    status: { phase },
  };
}

/** `b m wanted | a n`: nodes, their machines, what they are asked; `!`: not ready; `used`: it has the volume. */
function nodesOf(text: string): readonly Node[] {
  if (text === "") return [];
  return text.split(" | ").map((words) => {
    const [name = "", machine = "", ...rest] = words.split(" ");
    const state = rest.find((word) => /wanted|done/.test(word));
    const isReady = !rest.includes("!");
    return node(name, {
      metadata: {
        name,
        labels: { "topology.skiff.dev/machine": machine },
        ...(state && { annotations: { [KEY]: `${state}:pvc-1`, other: "x" } }),
      },
      status: {
        conditions: [{ type: "Ready", status: isReady ? "True" : "Unknown" }],
        ...(rest.includes("used") && { volumesInUse: [IN_USE] }),
      },
    });
  });
}

function show(write: PlannedWrite): string {
  if (write.verb === "delete") return `delete ${write.key.name} of ${write.ifUid}`;
  if (write.verb !== "patch") return write.verb;
  const { annotations } = (write.patch as Node).metadata!;
  return `${write.key.name} ${String((annotations as Record<string, string | null>)[KEY])}`;
}

function row(
  name: string,
  nodes: string,
  expected: string,
  of: PersistentVolume | undefined = volume(),
  isAttached = false,
): void {
  it(name, () => {
    const seen = { name: "pvc-1", volume: of, isAttached, isShared: false };
    const planned = plan({ ...seen, nodes: nodesOf(nodes) });
    assert.equal((planned.writes ?? []).map(show).join(", "), expected);
  });
}

const GONE = { name: "pvc-1", volume: undefined, isAttached: false, isShared: false };
const planGone = (nodes: string): string =>
  (plan({ ...GONE, nodes: nodesOf(nodes) }).writes ?? []).map(show).join(", ");

describe("volumereclaim", () => {
  row("the first ready node of its machine is asked", "c m | b m | a n | 0 m !", "b wanted:pvc-1");
  row("nobody of another machine", "a n", "");
  row("one is enough", "a m | b m wanted", "");
  row("another when that one does not answer", "a m ! wanted | b m", "a null, b wanted:pvc-1");
  row("nobody while a node has it", "a m | b m used", "");
  row("nobody while it is attached", "a m", "", volume(), true);
  row("the volume goes after its folder", "a m done", "delete pvc-1 of u");
  row("also when that node is away meanwhile", "a m done !", "delete pvc-1 of u");
  for (const kept of ["pvc-1 Bound Delete", "pvc-1 Released Retain", "pvc-1 Available Delete"])
    row(`${kept} is left alone`, "a m wanted", "a null", volume(kept));
  row(
    "another driver's is left alone",
    "a m",
    "",
    volume("pvc-1 Released Delete", { csi: { driver: "x", volumeHandle: "pvc-1" } }),
  );
  const going = (text: string, finalizers: string[] = ["x/y"]): PersistentVolume => {
    const of = volume(text);
    const metadata = { ...of.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers };
    return { ...of, metadata };
  };
  const KEPT = "external-provisioner.volume.kubernetes.io/finalizer";
  row("a volume that goes waits for its folder", "a m", "a wanted:pvc-1", going("pvc-1 Released Delete", [KEPT])); // prettier-ignore
  row("one that no claim has leaves its folder", "a m wanted", "a null, update", going("pvc-1 Available Delete", [KEPT])); // prettier-ignore
  const claimed = going("pvc-1 Available Delete", [KEPT]);
  row("one that a claim is about to have waits", "a m", "", { ...claimed, spec: { ...claimed.spec, claimRef: { uid: "c" } } }); // prettier-ignore
  row("what a user made keeps its folder", "a m", "", { ...volume(), metadata: { name: "pvc-1", uid: "u" } }); // prettier-ignore
  row("one that can be anywhere is nobody's to remove", "a m", "", volume(undefined, { nodeAffinity: undefined })); // prettier-ignore

  it("nobody is asked while another volume stands for the folder", () => {
    const cache = new StaticCache().put(PersistentVolume, volume());
    for (const one of nodesOf("a m")) cache.put(Node, one);
    const other = { ...volume("mine Bound Retain"), metadata: { name: "mine", uid: "v" } };
    const planned = (): readonly PlannedWrite[] =>
      plan(volumeReclaimController.observe(cache, { namespace: "", name: "pvc-1" })!).writes ?? [];
    cache.put(PersistentVolume, other);
    assert.deepEqual(planned(), []);
    cache.remove(PersistentVolume, { namespace: "", name: "mine" });
    assert.deepEqual(planned().map(show), ["a wanted:pvc-1"]);
    const trigger = volumeReclaimController.triggers.find(({ kind }) => kind === PersistentVolume)!;
    const key = { namespace: "", name: "mine" };
    const woken = trigger.keys(
      { kind: PersistentVolume, key, old: other, object: undefined },
      cache,
    );
    assert.deepEqual(
      woken.map(({ name }) => name),
      ["pvc-1"],
    );
  });
  row("not while a claim has it", "a m", "", going("pvc-1 Bound Delete", [KEPT]));
  row("then it is let go", "a m done", "update", going("pvc-1 Released Delete", ["x/y", KEPT]));
  row("once", "a m done", "", going("pvc-1 Released Delete"));
  it("when the volume is gone, so is what was asked, once it is done", () => {
    assert.equal(planGone("a m done | b m"), "a null");
    assert.equal(planGone("a m wanted"), "");
  });
  it("a name that no annotation can have is told of", () => {
    const long = volume(`${"x".repeat(64)} Released Delete`);
    const { status, events } = plan({
      name: "x".repeat(64),
      volume: long,
      isAttached: false,
      isShared: false,
      nodes: nodesOf("a m"),
    });
    assert.equal((status as { phase: string }).phase, "Failed");
    assert.equal(events?.[0]?.reason, "VolumeFailedDelete");
  });

  it("heartbeats concern no volume; readiness and what a node has do", () => {
    const cache = new StaticCache().put(PersistentVolume, volume());
    cache.put(PersistentVolume, volume("other Bound Delete"));
    const [trigger] = volumeReclaimController.triggers;
    const keys = (before: string, now: string): readonly string[] =>
      trigger!
        .keys(
          {
            kind: Node,
            key: { namespace: "", name: "a" },
            old: nodesOf(before)[0],
            object: nodesOf(now)[0],
          },
          cache,
        )
        .map(({ name }) => name);
    assert.deepEqual(keys("a m", "a m"), []);
    assert.deepEqual(keys("a m !", "a m"), ["pvc-1"]);
    assert.deepEqual(keys("a m used", "a m"), ["pvc-1"]);
    assert.deepEqual(keys("a m wanted", "a m done"), ["pvc-1"]);
  });

  it("sees attachments of the volume", () => {
    const cache = new StaticCache().put(PersistentVolume, volume());
    cache.put(VolumeAttachment, {
      metadata: { name: "csi-1" },
      spec: { attacher: "x", nodeName: "a", source: { persistentVolumeName: "pvc-1" } },
    });
    const observed = volumeReclaimController.observe(cache, { namespace: "", name: "pvc-1" });
    assert.equal(observed?.isAttached, true);
    const unknown = volumeReclaimController.observe(cache, { namespace: "", name: "other" });
    assert.equal(unknown, undefined);
  });
});
