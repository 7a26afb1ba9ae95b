import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { formatAttachedName, parseAttachedName } from "../../api/storage/attached-name.ts";
import {
  formatRemoval,
  OWN_DRIVER,
  ownVolumeProblem,
  REMOVAL_PREFIX,
  removalOf,
  removalTexts,
} from "../../api/storage/own-volumes.ts";
import { CONTENT_PROTECTION, PROVISIONED_BY } from "../../api/storage/binding.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { withFinalizer } from "../../reconciler/finalizers.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { Decision, Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { heldBy, ReclaimIndex, type Waiting } from "./reclaim-index.ts";

/** What an annotation's name may be. @spec apimachinery validation IsQualifiedName */
const ANNOTATION_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * How many removals one node is asked at once; those that are being decided come on top. Its kubelet does one after the other, so few keep it busy, and each
 * is a part of the Node that every write of it carries, owns and checks: doubled, all of a Node's writes cost the more while volumes are removed.
 */
export const REMOVALS_PER_NODE_MAX = 16;

export interface Observed {
  readonly name: string;
  /** Absent: it is gone. */
  readonly volume: PersistentVolume | undefined;
  readonly isAttached: boolean;
  /** Another volume stands for the same folder. */
  readonly isShared: boolean;
  /** Those that are asked to remove it, those that have it, and those that could be asked, or the first of them. */
  readonly nodes: readonly Node[];
}

export interface Decided {
  readonly plan: Plan;
  /** Absent: for no node. */
  readonly waitsFor?: Waiting;
  /** The node that is asked now. */
  readonly asks?: string;
}

const NOTHING: Decided = { plan: {} };

/**
 * Removes the cluster's own volumes that are released and not to be kept: first the folder, then the object.
 *
 * Its keys are names of volumes.
 * *Flow.* released, and on no node → annotation `wanted` on the first ready node of its machine → the kubelet removes the folder and says `done` →
 * the volume is deleted, its finalizer taken off → the annotation goes. The finalizer keeps the volume until then, also when a user deletes it. Only
 * what the cluster made is removed; a volume that a user deletes while no claim has it leaves its folder behind.
 * *Guarantees.* The object goes only after the folder. Each step is read from the objects, so any of them may be repeated.
 * *Caveats.* Without a ready node of its machine a volume stays as it is.
 * @spec sig-storage-lib-external-provisioner controller.go deleteVolumeOperation
 */
export function volumeReclaimLoop(cache: Cache): Loop {
  const world = new World(cache);
  return {
    name: "volume-reclaim-controller",
    kinds: fixedKinds([PersistentVolume, Node, VolumeAttachment]),
    keysOf: (change) => world.volumesOf(change),
    decide: (name) => world.decide(name),
    begin: (enqueue) => world.begin(enqueue),
  };
}

const NONE: readonly never[] = [];

/** What is known of all nodes and volumes. */
class World {
  readonly #cache: Cache;
  readonly #index = new ReclaimIndex();
  #enqueue: (name: string) => void = () => {};

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  begin(enqueue: (name: string) => void): void {
    this.#enqueue = enqueue;
  }

  /** The volumes that a change may concern. */
  volumesOf(change: CacheChange): readonly string[] {
    switch (change.kind as unknown) {
      case Node:
        return this.#onNode(change as CacheChange<Node>);
      case VolumeAttachment:
        return this.#onAttachment(change as CacheChange<VolumeAttachment>);
      default:
        return this.#onVolume(change as CacheChange<PersistentVolume>);
    }
  }

  decide(name: string): Decision | undefined {
    const crowd = this.#index.crowdOf(name);
    const observed = this.#observe(name);
    const { plan, waitsFor, asks } = observed ? decideRemoval(observed) : NOTHING;
    const volume = observed?.volume;
    this.#index.wait(name, waitsFor, volume);
    // Who waited for room and does not take it leaves it to the next.
    if (crowd !== undefined && asks !== crowd)
      for (const next of this.#nextOn(crowd)) if (next !== name) this.#enqueue(next);
    const primary = { kind: PersistentVolume, observesGeneration: false };
    return observed && { plan, ...(volume && { primary: { ...primary, object: volume } }) };
  }

  /** Heartbeats concern nobody, nor does a node that is not asked, has nothing that is to be removed, and is not waited for. */
  #onNode({ key, old, object }: CacheChange<Node>): readonly string[] {
    const [before, now] = [factsOf(old), factsOf(object)];
    if (equalJson(before, now)) return NONE;
    const index = this.#index;
    index.setNode(key.name, old, object);
    const names = new Set<string>();
    const isMoved = before?.ready !== now?.ready || !equalJson(before?.labels, now?.labels);
    const [had, has] = [before?.removals ?? {}, now?.removals ?? {}];
    for (const name of [...Object.keys(had), ...Object.keys(has)])
      if (isMoved || had[name] !== has[name]) names.add(name);
    const held = new Set(now?.held);
    for (const attached of before?.held ?? NONE)
      if (!held.has(attached)) this.#freed(attached, names);
    if (isMoved) for (const name of index.waitingForRoom(key.name, Infinity)) names.add(name);
    if (object && isMoved && now?.ready === "True")
      for (const name of index.waitingForNode(object)) names.add(name);
    for (const name of this.#nextOn(key.name)) names.add(name);
    return [...names];
  }

  /** Released volumes that a node has no more. */
  #freed(attached: string, names: Set<string>): void {
    const { driver, handle } = parseAttachedName(attached) ?? {};
    if (driver !== OWN_DRIVER || handle === undefined) return;
    for (const name of this.#index.volumesWith(handle)) {
      const volume = this.#volume(name);
      if (volume && isReclaimable(volume)) names.add(name);
    }
  }

  /** As many as the node has room for. */
  #nextOn(node: string): readonly string[] {
    const room = roomOf(this.#cache.get(Node, { namespace: "", name: node }));
    return room > 0 ? this.#index.waitingForRoom(node, room) : NONE;
  }

  #onAttachment({ key, old, object }: CacheChange<VolumeAttachment>): readonly string[] {
    this.#index.setAttachment(key.name, object);
    const name = (object ?? old)!.spec.source.persistentVolumeName;
    return name === undefined ? NONE : [name];
  }

  /** When one goes, those that waited for it: what users make may share a folder. */
  #onVolume({ key, object }: CacheChange<PersistentVolume>): readonly string[] {
    const handle = object ? undefined : this.#index.handleOf(key.name);
    this.#index.setVolume(key.name, object);
    return [key.name, ...(handle === undefined ? NONE : this.#index.volumesWith(handle))];
  }

  #volume(name: string): PersistentVolume | undefined {
    return this.#cache.get(PersistentVolume, { namespace: "", name });
  }

  #observe(name: string): Observed | undefined {
    const volume = this.#volume(name);
    const asked = this.#index.askedFor(name);
    const isOurs = volume !== undefined && isReclaimable(volume);
    if (asked.length === 0 && !isOurs && !(volume && isAbandoned(volume))) return undefined;
    const handle = (volume && handleOf(volume)) ?? "";
    const holders = this.#index.holdersOf(formatAttachedName({ driver: OWN_DRIVER, handle }));
    const able = isOurs ? this.#index.readyFor(volume) : NONE;
    const names = new Set([...asked, ...holders, ...able]);
    return {
      name,
      volume,
      isAttached: this.#index.isAttached(name),
      isShared: isOurs && this.#index.volumesWith(handle).length > 1,
      nodes: [...names].flatMap((node) => {
        return this.#cache.get(Node, { namespace: "", name: node }) ?? [];
      }),
    };
  }
}

/** Pure. */
export function decideRemoval({ name, volume, isAttached, isShared, nodes }: Observed): Decided {
  const asked = nodes.filter((node) => removalOf(node, name));
  const just = (writes: readonly PlannedWrite[]): Decided => ({ plan: { writes } });
  // A folder that somebody is about to remove is removed, also when the object goes before.
  if (!volume)
    return just(asked.filter((node) => removalOf(node, name)?.isDone).map(withdraw(name)));
  if (isAbandoned(volume)) return just([...asked.map(withdraw(name)), ...letGo(volume)]);
  const handle = handleOf(volume) ?? "";
  // The binder says of a handle that names no folder that nobody can remove it.
  if (!isReclaimable(volume) || isShared || ownVolumeProblem(volume) !== undefined)
    return just(asked.map(withdraw(name)));
  const unique = formatAttachedName({ driver: OWN_DRIVER, handle });
  if (isAttached || nodes.some((node) => heldBy(node).includes(unique))) return NOTHING;
  if (asked.some((node) => isRemoved(node, name, handle)))
    return just(isBeingDeleted(volume) ? letGo(volume) : [removeVolume(volume)]);
  if (!ANNOTATION_NAME.test(name)) return { plan: unnamable(volume) };
  const able = nodes.filter((node) => isAble(volume, node));
  const strayed = asked.filter((node) => !able.includes(node)).map(withdraw(name));
  if (asked.some((node) => able.includes(node))) return just(strayed);
  const [first, ...others] = able.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  if (!first) return { ...just(strayed), waitsFor: { kind: "node" } };
  // Removals that cannot be done stay on their node, and must not take the others of its machine along.
  const chosen = [first, ...others].find((node) => roomOf(node) > 0);
  if (!chosen) return { ...just(strayed), waitsFor: { kind: "room", node: nameOf(first) } };
  const ask = annotate(chosen, name, formatRemoval({ handle, isDone: false }));
  return { ...just([...strayed, ask]), asks: nameOf(chosen) };
}

/** How many more removals a node can be asked. */
function roomOf(node: Node | undefined): number {
  return node ? REMOVALS_PER_NODE_MAX - removalTexts(node).size : 0;
}

function isReclaimable({ metadata, spec, status }: PersistentVolume): boolean {
  return (
    spec?.csi?.driver === OWN_DRIVER &&
    metadata?.annotations?.[PROVISIONED_BY] === OWN_DRIVER &&
    spec.persistentVolumeReclaimPolicy === "Delete" &&
    status?.phase === "Released"
  );
}

/** A user deletes it, and no claim has it, nor is about to; or nobody can remove its folder. */
function isAbandoned(volume: PersistentVolume): boolean {
  const { spec, status } = volume;
  if (spec?.csi?.driver !== OWN_DRIVER || !isBeingDeleted(volume)) return false;
  if (status?.phase === "Failed") return true;
  return !spec.claimRef?.uid && status?.phase !== "Bound" && status?.phase !== "Released";
}

function handleOf({ spec }: PersistentVolume): string | undefined {
  return spec?.csi?.volumeHandle;
}

function isRemoved(node: Node, name: string, handle: string): boolean {
  const removal = removalOf(node, name);
  return removal?.isDone === true && removal.handle === handle;
}

/** A node that answers, on the machine that has the volume. */
function isAble({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return readinessOf(node) === "True" && terms !== undefined && matchesAnyTerm(terms, node);
}

function annotate(node: Node, name: string, text: string | null): PlannedWrite {
  const annotations = { [`${REMOVAL_PREFIX}${name}`]: text };
  return { verb: "patch", kind: Node, key: keyOf(node), patch: { metadata: { annotations } } };
}

function withdraw(name: string): (node: Node) => PlannedWrite {
  return (node) => annotate(node, name, null);
}

function removeVolume(volume: PersistentVolume): PlannedWrite {
  const ifUid = volume.metadata?.uid ?? "";
  return { verb: "delete", kind: PersistentVolume, key: keyOf(volume), ifUid };
}

/** Nothing holds it back any more: its folder is gone. */
function letGo(volume: PersistentVolume): readonly PlannedWrite[] {
  const object = withFinalizer(volume, CONTENT_PROTECTION, false);
  return object === volume ? [] : [{ verb: "update", kind: PersistentVolume, object }];
}

/** No volume that the cluster made has such a name. */
function unnamable({ status }: PersistentVolume): Plan {
  const message = "the name of the volume is too long for a node to be asked by it";
  return {
    status: { ...status, phase: "Failed", message },
    events: [{ type: "Warning", reason: "VolumeFailedDelete", message }],
  };
}

interface NodeFacts {
  readonly ready: string;
  readonly labels: unknown;
  readonly held: readonly string[];
  /** What its annotations say, by volume. */
  readonly removals: Readonly<Record<string, string>>;
}

/** What about a node decides whether it is asked. */
function factsOf(node: Node | undefined): NodeFacts | undefined {
  if (!node) return undefined;
  const { labels } = node.metadata ?? {};
  const removals = Object.fromEntries(removalTexts(node));
  return { ready: readinessOf(node), labels, held: heldBy(node), removals };
}

function nameOf({ metadata }: Node | PersistentVolume): string {
  return metadata?.name ?? "";
}
