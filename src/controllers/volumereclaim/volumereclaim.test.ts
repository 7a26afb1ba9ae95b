import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { followLoop } from "../../../test/support/follow-loop.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import {
  decideRemoval,
  type Observed,
  REMOVALS_PER_NODE_MAX,
  volumeReclaimLoop,
} from "./volumereclaim.ts";

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

const shown = (observed: Observed): string =>
  (decideRemoval(observed).plan.writes ?? []).map(show).join(", ");

function row(
  name: string,
  nodes: string,
  expected: string,
  of: PersistentVolume | undefined = volume(),
  isAttached = false,
): void {
  it(name, () => {
    const seen = { name: "pvc-1", volume: of, isAttached, isShared: false };
    assert.equal(shown({ ...seen, nodes: nodesOf(nodes) }), expected);
  });
}

const GONE = { name: "pvc-1", volume: undefined, isAttached: false, isShared: false };
const planGone = (nodes: string): string => shown({ ...GONE, nodes: nodesOf(nodes) });

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
    const { cache, writes, woken } = followLoop(volumeReclaimLoop);
    for (const one of nodesOf("a m")) cache.put(Node, one);
    cache.put(PersistentVolume, volume());
    const other = volume("mine Bound Retain");
    cache.put(PersistentVolume, { ...other, metadata: { name: "mine", uid: "v" } });
    assert.deepEqual(writes("pvc-1"), []);
    woken();
    cache.remove(PersistentVolume, { namespace: "", name: "mine" });
    assert.equal(woken(), "mine, pvc-1");
    assert.deepEqual(writes("pvc-1").map(show), ["a wanted:pvc-1"]);
  });
  const badHandle = { csi: { driver: "volumes.skiff.dev", volumeHandle: "a/b" } };
  row("of a handle that names no folder nobody is asked", "a m", "", volume(undefined, badHandle));
  row("nor kept being asked", "a m wanted", "a null", volume(undefined, badHandle));
  row("what nobody can remove goes when a user says so", "a m wanted", "a null, update", going("pvc-1 Failed Delete", [KEPT])); // prettier-ignore
  row("not while a claim has it", "a m", "", going("pvc-1 Bound Delete", [KEPT]));
  row("then it is let go", "a m done", "update", going("pvc-1 Released Delete", ["x/y", KEPT]));
  row("once", "a m done", "", going("pvc-1 Released Delete"));
  it("when the volume is gone, so is what was asked, once it is done", () => {
    assert.equal(planGone("a m done | b m"), "a null");
    assert.equal(planGone("a m wanted"), "");
  });
  it("a name that no annotation can have is told of", () => {
    const long = volume(`${"x".repeat(64)} Released Delete`);
    const { status, events } = decideRemoval({
      name: "x".repeat(64),
      volume: long,
      isAttached: false,
      isShared: false,
      nodes: nodesOf("a m"),
    }).plan;
    assert.equal((status as { phase: string }).phase, "Failed");
    assert.equal(events?.[0]?.reason, "VolumeFailedDelete");
  });

  it("heartbeats concern no volume; what a node is asked, has, and whether it is ready do", () => {
    const { cache, woken, writes } = followLoop(volumeReclaimLoop);
    cache.put(PersistentVolume, volume());
    cache.put(PersistentVolume, volume("other Bound Delete", { csi: undefined }));
    const becomes = (text: string): string => {
      woken();
      for (const one of nodesOf(text)) cache.put(Node, one);
      return woken();
    };
    becomes("a m !");
    assert.deepEqual(writes("pvc-1"), []);
    assert.equal(becomes("a m"), "pvc-1", "it waits for a node");
    assert.equal(writes("pvc-1").map(show).join(), "a wanted:pvc-1");
    assert.equal(becomes("a m wanted"), "pvc-1");
    assert.equal(becomes("a m wanted"), "");
    assert.equal(becomes("a m wanted !"), "pvc-1", "another must be asked");
    assert.equal(becomes("a m done"), "pvc-1");
    assert.equal(becomes("a m used"), "pvc-1");
    assert.equal(becomes("a m"), "pvc-1", "it has let go");
    writes("pvc-1");
    assert.equal(becomes("b m"), "", "the volume waits for nobody");
    woken();
    cache.remove(Node, { namespace: "", name: "b" });
    assert.equal(woken(), "");
  });

  it("sees attachments of the volume", () => {
    const { cache, writes, woken } = followLoop(volumeReclaimLoop);
    for (const one of nodesOf("a m")) cache.put(Node, one);
    cache.put(PersistentVolume, volume());
    const name = "csi-1";
    cache.put(VolumeAttachment, {
      metadata: { name },
      spec: { attacher: "x", nodeName: "a", source: { persistentVolumeName: "pvc-1" } },
    });
    assert.deepEqual(writes("pvc-1"), []);
    woken();
    cache.remove(VolumeAttachment, { namespace: "", name });
    assert.equal(woken(), "pvc-1");
    assert.equal(writes("pvc-1").length, 1);
    assert.deepEqual(writes("other"), []);
  });
});

/** `pvc-AT`, released, on machine m. */
function numbered(at: number): PersistentVolume {
  const csi = { driver: "volumes.skiff.dev", volumeHandle: `pvc-${at}` };
  return volume(`pvc-${at} Released Delete`, { csi });
}

/** A node of machine m that is asked to remove volumes. */
function asked(name: string, volumes: readonly string[]): Node {
  const [plain] = nodesOf(`${name} m`);
  const annotations = Object.fromEntries(
    volumes.map((one) => [`removal.volumes.skiff.dev/${one}`, `wanted:${one}`]),
  );
  return { ...plain, metadata: { ...plain!.metadata, annotations } };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `pvc-${at}`);

describe("volumereclaim, of thousands of volumes", () => {
  it("a change is a look at what it concerns", () => {
    const of = followLoop(volumeReclaimLoop);
    const { cache } = of;
    for (let at = 0; at < 1000; at++) for (const one of nodesOf(`n${at} m`)) cache.put(Node, one);
    for (let at = 0; at < 5000; at++) cache.put(PersistentVolume, numbered(at));
    assert.equal(of.wokenKeys().length, 5000);
    // Itself and the first nodes, one of which it asks.
    const decided = (): void => names(5000).forEach((name) => of.writes(name));
    assert.ok(of.reads(decided) <= 5000 * 5);
    const changes = (): void => {
      const [beat] = nodesOf("n7 m");
      cache.put(Node, { ...beat, metadata: { ...beat!.metadata, resourceVersion: "9" } });
      for (const text of ["n8 m !", "n8 m", "n9 m used", "new m"])
        for (const one of nodesOf(text)) cache.put(Node, one);
    };
    assert.ok(of.reads(changes) <= 5);
    assert.equal(of.woken(), "");
    const change = (): unknown => cache.put(PersistentVolume, numbered(7));
    assert.equal(of.reads(change), 0);
    assert.equal(of.woken(), "pvc-7");
  });

  it("a node whose removals do not end leaves the others to the next one of its machine", () => {
    const { cache, writes } = followLoop(volumeReclaimLoop);
    cache.put(Node, asked("a", names(REMOVALS_PER_NODE_MAX)));
    for (const one of nodesOf("b m")) cache.put(Node, one);
    const other = numbered(REMOVALS_PER_NODE_MAX);
    cache.put(PersistentVolume, other);
    const [write] = writes(other.metadata!.name!);
    assert.equal(write?.verb === "patch" && write.key.name, "b");
  });

  it("a node is asked so many at once; the others follow as it has done them", () => {
    const { cache, writes, wokenKeys } = followLoop(volumeReclaimLoop);
    const full = names(REMOVALS_PER_NODE_MAX);
    cache.put(Node, asked("a", full));
    for (let at = 0; at < 200; at++) cache.put(PersistentVolume, numbered(at));
    const waiting = names(200).slice(REMOVALS_PER_NODE_MAX);
    for (const name of waiting) assert.deepEqual(writes(name), []);
    wokenKeys();
    cache.put(Node, asked("a", full.slice(2)));
    const [, , ...next] = wokenKeys();
    assert.deepEqual(
      next,
      waiting.slice(0, 2),
      "besides those that are done, as many as have room",
    );
    assert.equal(writes(next[0]!).length, 1);
    // Who was let in and is to be kept after all leaves its place to the next.
    cache.put(PersistentVolume, volume(`${next[1]!} Bound Delete`));
    wokenKeys();
    assert.deepEqual(writes(next[1]!), []);
    assert.deepEqual(wokenKeys(), waiting.slice(2, 4));
  });
});
