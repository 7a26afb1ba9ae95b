import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type {
  V1Affinity,
  V1Node,
  V1Pod,
  V1PodSpec,
  V1Taint,
  V1Toleration,
  V1TopologySpreadConstraint,
  V1Volume,
} from "../gen/types.ts";
import type { StorageChange } from "./claims.ts";
import { decide, type Decision } from "./cycle.ts";
import { Decider } from "./decider.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

const WORLDS = 150;
const EVENTS = 60;
const NODE_NAMES = 12;
const TEMPLATES = 5;
const CLAIMS = 4;
/** Of a claim: bound for good; of a volume: where it is. */
const MOVED = {
  annotations: { "pv.kubernetes.io/bind-completed": "yes" },
  labels: { "topology.kubernetes.io/zone": "z1" },
};

/** Nodes and Pods that come, change and go in any order, as a server would tell of them; and what must then be true. */
class World {
  readonly cache = new SchedulerCache();
  readonly workloads = new Workloads();
  readonly #random: SeededRandom;
  readonly #classes = new PodClasses(DEFAULT_PLUGINS, this.cache.interest, this.workloads);
  /** The same chance for both, so that equals are drawn alike. */
  readonly #seed: number;
  readonly #nodes = new Map<string, V1Node>();
  /** What the server says is on a node, and what was only decided. */
  readonly #bound = new Map<string, V1Pod>();
  readonly #assumed = new Map<string, { readonly pod: V1Pod; readonly node: string }>();
  readonly #templates: readonly V1PodSpec[];
  readonly #chance: { remembered: SeededRandom; defined: SeededRandom };
  readonly #decider: Decider;
  #pods = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#chance = { remembered: new SeededRandom(seed), defined: new SeededRandom(seed) };
    this.#decider = new Decider(this.cache, this.#classes, this.#chance.remembered);
    this.#templates = this.#many(TEMPLATES, () => this.#spec());
  }

  step(): void {
    const what = this.#random.integer(13);
    if (what < 3) this.#setNode();
    else if (what === 3) this.#removeNode();
    else if (what === 4) this.#bindElsewhere();
    else if (what === 5) this.#settle();
    else if (what === 6) this.#removePod();
    else if (what === 7) this.#resize();
    else if (what === 8) this.#setAround();
    else if (what === 12) this.#setStorage();
    else this.#decideSome();
  }

  /** The cache is what one would be that had heard of the present state alone, in another order. */
  checkCache(): void {
    const fresh = new SchedulerCache();
    for (const { pod, node } of this.#assumed.values()) fresh.assume(pod, node);
    for (const pod of [...this.#bound.values()].reverse()) fresh.setPod(pod);
    for (const node of [...this.#nodes.values()].reverse()) fresh.setNode(node);
    assert.deepEqual(contentsOf(this.cache), contentsOf(fresh), `seed ${this.#seed}`);
  }

  #decideSome(): void {
    for (let i = 1 + this.#random.integer(4); i > 0; i--) {
      const pod = this.#pod();
      const found = this.#decider.decide(pod);
      const expected = decide(pod, this.#classes.of(pod), this.cache, this.#chance.defined);
      assert.deepEqual(told(found), told(expected), `seed ${this.#seed}`);
      if (found.kind === "preempt") this.cache.nominations.set(pod, found.node.name);
      if (found.kind !== "bind") continue;
      this.cache.assume(pod, found.node.name);
      this.#assumed.set(uidOf(pod), { pod, node: found.node.name });
    }
  }

  /** A binding comes back by the watch, or fails. */
  #settle(): void {
    const one = this.#oneOf([...this.#assumed.values()]);
    if (!one) return;
    const { pod, node } = one;
    this.#assumed.delete(uidOf(pod));
    if (this.#random.integer(3) === 0) return void this.cache.forget(pod);
    this.#setBound(withNode(pod, node));
  }

  /** Another scheduler was faster, or a Pod was made with its node's name; maybe of a node that nobody knows. */
  #bindElsewhere(): void {
    const pod = this.#oneOf([...this.#assumed.values()])?.pod ?? this.#pod();
    this.#assumed.delete(uidOf(pod));
    this.#setBound(withNode(pod, this.#nodeName()));
  }

  #setBound(pod: V1Pod): void {
    this.#bound.set(uidOf(pod), pod);
    this.cache.setPod(pod);
  }

  #resize(): void {
    const pod = this.#oneOf([...this.#bound.values()]);
    if (!pod) return;
    const { containers } = this.#oneOf(this.#templates)!;
    this.#setBound({ ...pod, spec: { ...pod.spec!, containers } });
  }

  #removePod(): void {
    const uid = this.#oneOf([...this.#bound.keys(), ...this.#assumed.keys()]);
    if (uid === undefined) return;
    this.#bound.delete(uid);
    this.#assumed.delete(uid);
    this.cache.removePod(uid);
    const [kept] = [...this.cache.nominations.nodes()].flatMap((name) => [
      ...this.cache.nominations.on(name),
    ]);
    if (kept) this.cache.nominations.delete(uidOf(kept));
  }

  #setNode(): void {
    const name = this.#nodeName();
    const node = this.#node(name, this.#nodes.get(name));
    this.#nodes.set(name, node);
    this.cache.setNode(node);
  }

  #removeNode(): void {
    const name = this.#nodeName();
    this.#nodes.delete(name);
    this.cache.removeNode(name);
  }

  #nodeName(): string {
    return `n${this.#random.integer(NODE_NAMES)}`;
  }

  /** A new node, or `old` with some of its parts drawn anew. */
  #node(name: string, old: V1Node | undefined): V1Node {
    const draws = (): boolean => !old || this.#random.integer(2) === 0;
    const isSmall = this.#random.integer(3) === 0;
    const allocatable = {
      cpu: isSmall ? "500m" : "4",
      ...(this.#random.integer(8) > 0 && { memory: isSmall ? "1Gi" : "8Gi" }),
      pods: String(1 + this.#random.integer(8)),
      ...(this.#random.integer(3) === 0 && { "example.com/gpu": "2" }),
    };
    const zone = `z${this.#random.integer(3)}`;
    const place = this.#random.integer(2) === 0 && { "topology.kubernetes.io/zone": zone };
    const labels = { ...place, zone, disk: `d${this.#random.integer(2)}` };
    const images = this.#many(this.#random.integer(3), () => ({
      names: [`image:${this.#random.integer(4)}`],
      sizeBytes: (30 + this.#random.integer(900)) * 1024 * 1024,
    }));
    return {
      metadata: { name, labels: draws() ? labels : old!.metadata!.labels! },
      spec: draws()
        ? {
            unschedulable: this.#random.integer(6) === 0,
            taints: this.#many(this.#random.integer(3), () => this.#taint()),
          }
        : old!.spec!,
      status: {
        allocatable: draws() ? allocatable : old!.status!.allocatable!,
        images: draws() ? images : old!.status!.images!,
      },
    };
  }

  #taint(): V1Taint {
    const effects = ["NoSchedule", "PreferNoSchedule", "PreferNoSchedule", "NoExecute"];
    return { key: `k${this.#random.integer(2)}`, effect: this.#oneOf(effects)! };
  }

  #pod(): V1Pod {
    const name = `p${this.#pods++}`;
    const shared = this.#oneOf(this.#templates)!;
    // Some come as a copy, as from a client that this server's memory of specs has forgotten.
    const spec = this.#random.integer(3) === 0 ? structuredClone(shared) : shared;
    const namespace = `ns${this.#random.integer(2)}`;
    const labels = { app: `a${this.#random.integer(2)}`, name };
    return { metadata: { name, namespace, uid: name, labels }, spec };
  }

  #spec(): V1PodSpec {
    const requests = {
      ...(this.#random.integer(3) > 0 && { cpu: `${50 * this.#random.integer(12)}m` }),
      ...(this.#random.integer(3) > 0 && { memory: `${100 * this.#random.integer(12)}Mi` }),
      ...(this.#random.integer(6) === 0 && { "example.com/gpu": "1" }),
    };
    const port = { containerPort: 80, hostPort: 8000 + this.#random.integer(2) };
    const image = `image:${this.#random.integer(4)}`;
    const has = (parts: number): boolean => this.#random.integer(parts) === 0;
    return {
      containers: [{ name: "c", image, resources: { requests }, ports: has(4) ? [port] : [] }],
      priority: this.#random.integer(3),
      ...(has(4) && { nodeSelector: { zone: `z${this.#random.integer(3)}` } }),
      ...(has(2) && { affinity: { ...this.#affinity(), ...(has(2) && this.#podAffinity()) } }),
      ...(has(3) && { volumes: this.#many(1 + this.#random.integer(2), () => this.#volume()) }),
      ...(has(3) && { topologySpreadConstraints: this.#many(2, () => this.#constraint()) }),
      tolerations: this.#many(this.#random.integer(3), () => this.#toleration()),
    };
  }

  #volume(): V1Volume {
    const name = `c${this.#random.integer(CLAIMS)}`;
    if (this.#random.integer(4) > 0) return { name, persistentVolumeClaim: { claimName: name } };
    return { name, gcePersistentDisk: { pdName: name, readOnly: this.#random.integer(2) === 0 } };
  }

  /** A claim, a volume, or what a node has room for comes, changes or goes. */
  #setStorage(): void {
    const has = (parts: number): boolean => this.#random.integer(parts) === 0;
    const index = this.#random.integer(CLAIMS);
    const apply = (resource: string, name: string, object: object, namespace = ""): void =>
      this.cache.claims.apply({
        kind: "storage", resource, namespace, name, old: undefined,
        object: has(6) ? undefined : { metadata: { name, namespace, ...(has(2) && MOVED) }, ...object },
      } as unknown as StorageChange); // prettier-ignore
    const accessModes = [has(2) ? "ReadWriteOncePod" : "ReadWriteOnce"];
    const matchExpressions = [
      { key: "zone", operator: "In", values: [`z${this.#random.integer(3)}`] },
    ];
    const driver = { name: "d", nodeID: "n", allocatable: { count: this.#random.integer(3) } };
    const volume = {
      spec: {
        accessModes: ["ReadWriteOnce", "ReadWriteOncePod"],
        csi: { driver: "d", volumeHandle: `v${index}` },
        storageClassName: "late",
        ...(has(2) && {
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
        }),
      },
      status: { phase: "Available" },
    };
    const claim = {
      spec: { accessModes, storageClassName: "late", ...(has(2) && { volumeName: `v${index}` }) },
    };
    const late = { provisioner: has(2) ? "d" : "", volumeBindingMode: "WaitForFirstConsumer" };
    for (const namespace of ["ns0", "ns1"])
      apply("PersistentVolumeClaim", `c${index}`, claim, namespace);
    apply("PersistentVolume", `v${index}`, volume);
    if (has(2)) apply("StorageClass", "late", late);
    apply("CSINode", this.#nodeName(), { spec: { drivers: [driver] } });
  }

  #toleration(): V1Toleration {
    const key = this.#random.integer(3) > 0 ? { key: `k${this.#random.integer(2)}` } : {};
    const effect = this.#random.integer(2) === 0 ? { effect: "PreferNoSchedule" } : {};
    return { operator: "Exists", ...key, ...effect };
  }

  #affinity(): V1Affinity {
    const expression = () => ({
      matchExpressions: [{ key: "zone", operator: "In", values: [`z${this.#random.integer(3)}`] }],
    });
    const matchFields = [{ key: "metadata.name", operator: "In", values: [this.#nodeName()] }];
    const terms = this.#random.integer(3) === 0 ? [{ matchFields }] : [expression(), expression()];
    const preferred = this.#many(this.#random.integer(3), () => ({
      weight: 1 + this.#random.integer(100),
      preference: expression(),
    }));
    const required = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
    };
    return {
      nodeAffinity: {
        ...(this.#random.integer(2) === 0 && required),
        preferredDuringSchedulingIgnoredDuringExecution: preferred,
      },
    };
  }

  #podAffinity(): V1Affinity {
    const term = () => ({
      topologyKey: this.#random.integer(2) === 0 ? "zone" : "disk",
      labelSelector: { matchLabels: { app: `a${this.#random.integer(2)}` } },
      ...(this.#random.integer(3) === 0 && { namespaceSelector: { matchLabels: { team: "t1" } } }),
    });
    const terms = () => ({
      requiredDuringSchedulingIgnoredDuringExecution: this.#many(this.#random.integer(2), term),
      preferredDuringSchedulingIgnoredDuringExecution: this.#many(this.#random.integer(2), () => ({
        weight: 1 + this.#random.integer(100),
        podAffinityTerm: term(),
      })),
    });
    const isAway = this.#random.integer(3) > 0;
    return isAway ? { podAntiAffinity: terms() } : { podAffinity: terms() };
  }

  #constraint(): V1TopologySpreadConstraint {
    return {
      topologyKey: this.#random.integer(2) === 0 ? "zone" : "disk",
      maxSkew: 1 + this.#random.integer(2),
      whenUnsatisfiable: this.#random.integer(2) === 0 ? "DoNotSchedule" : "ScheduleAnyway",
      labelSelector: { matchLabels: { app: `a${this.#random.integer(2)}` } },
    };
  }

  /** A namespace or a Service comes, changes or goes. */
  #setAround(): void {
    const name = `ns${this.#random.integer(2)}`;
    const labels = { team: `t${this.#random.integer(2)}` };
    if (this.#random.integer(2) === 0) this.cache.setNamespace(name, labels);
    const selector = this.#random.integer(2) === 0 ? { app: "a0" } : undefined;
    this.workloads.setService(name, "s", selector);
  }

  #many<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  #oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.#random.integer(Math.max(1, items.length))];
  }
}

/** What of a cache does not depend on the order in which it heard of things. */
function contentsOf(cache: SchedulerCache): object {
  const nodes = [...cache.nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return nodes.map((info) => {
    assert.equal(cache.nodes[info.slot], info);
    assert.equal(cache.node(info.name), info);
    return {
      node: info.node,
      pods: [...info.pods.keys()].sort(),
      allocatable: Object.fromEntries(info.allocatable),
      requested: Object.fromEntries(info.requested),
      scored: Object.fromEntries(info.scored),
      hostPorts: info.hostPorts.map((port) => JSON.stringify(port)).sort(),
      images: [...info.images.keys()].map((image) => [image, cache.nodesWithImage(image)]),
    };
  });
}

function told(decision: Decision): object {
  if (decision.kind === "bind") return { node: decision.node.name, feasible: decision.feasible };
  const { message, plugins } = decision;
  const victims = decision.kind === "preempt" ? decision.victims.map(uidOf) : [];
  return { message, plugins: [...plugins].sort(), victims };
}

function withNode(pod: V1Pod, nodeName: string): V1Pod {
  return { ...pod, spec: { ...pod.spec!, nodeName } };
}

function uidOf(pod: V1Pod): string {
  return pod.metadata?.uid ?? "";
}

describe("random worlds", () => {
  it(`${WORLDS} of them: what is remembered decides as the definition, and nothing is lost or left`, () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = new World(seed);
      for (let event = 0; event < EVENTS; event++) {
        world.step();
        world.checkCache();
      }
    }
  });
});
