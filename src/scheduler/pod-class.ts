import { Recent } from "../base/recent.ts";
import type { V1Pod, V1PodSpec } from "../gen/types.ts";
import type {
  Around,
  ClusterChange,
  ClusterFacts,
  NodeTest,
  Plugin,
  Topology,
} from "./framework.ts";
import { hasOwnClaims } from "./claims-of-pod.ts";
import type { LabelInterest } from "./label-interest.ts";
import type { Workloads } from "./workloads.ts";

/** One plugin with what it read of the Pods of a class. */
export interface Reader {
  readonly plugin: Plugin;
  readonly input: unknown;
}

/** A filter that has something to say about the class. */
export interface Filter {
  readonly plugin: string;
  readonly test: NodeTest;
}

/**
 * Pods that no plugin can tell apart: a decision for one is, at the same moment, a decision for all.
 *
 * Why not by the owner or the template's hash: two Deployments may be one class, and one Deployment several, while its
 * template changes. What plugins read is exact by construction.
 * @spec KEP-5598 (Pod signatures of opportunistic batching)
 */
export class PodClass {
  /** Those that read anything, in the profile's order. */
  readonly readers: readonly Reader[];
  readonly filters: readonly Filter[];
  /** The only nodes that can do, and the plugins that say so; `undefined`: all nodes. */
  readonly candidates: Candidates | undefined;

  constructor(readers: readonly Reader[]) {
    this.readers = readers;
    this.filters = readers.flatMap(({ plugin, input }) => {
      const test = plugin.filter?.(input);
      return test ? [{ plugin: plugin.name, test }] : [];
    });
    this.candidates = candidatesOf(readers);
  }

  /** What its rules about other Pods know, of no node yet. */
  topologies(cluster: ClusterFacts): readonly TopologyRule[] {
    return this.readers.flatMap(({ plugin, input }) => {
      const topology = plugin.topology?.(input, cluster);
      return topology ? [{ plugin: plugin.name, weight: plugin.weight ?? 1, topology }] : [];
    });
  }

  /** True when a Pod that is placed somewhere may help those that the named plugins refused. */
  heedsPlacements(refusedBy: ReadonlySet<string>): boolean {
    return this.readers.some(
      ({ plugin }) => plugin.heedsPlacements === true && refusedBy.has(plugin.name),
    );
  }

  /** True when the change may make Pods fit that the named plugins refused. None: any change may. */
  canBeHelped(change: ClusterChange, refusedBy: ReadonlySet<string>): boolean {
    if (refusedBy.size === 0) return true;
    return this.readers.some(
      ({ plugin, input }) =>
        refusedBy.has(plugin.name) && (plugin.canHelp?.(change, input) ?? true),
    );
  }
}

/** A rule about the Pods of other nodes, at work for one class. */
export interface TopologyRule {
  readonly plugin: string;
  readonly weight: number;
  readonly topology: Topology;
}

/** Nodes by name, and who named them. */
export interface Candidates {
  readonly names: readonly string[];
  readonly plugins: readonly string[];
}

function candidatesOf(readers: readonly Reader[]): Candidates | undefined {
  const lists = readers.flatMap(({ plugin, input }) => {
    const names = plugin.candidates?.(input);
    return names ? [{ names, plugin: plugin.name }] : [];
  });
  const [first, ...others] = lists;
  if (!first) return undefined;
  const names = first.names.filter((name) => others.every((list) => list.names.includes(name)));
  return { names, plugins: lists.map(({ plugin }) => plugin) };
}

/** Classes that are remembered, and specs whose class is known. A class costs some kB; a forgotten one is made again. */
const CLASSES_MAX = 512;

/** Pods of one spec that differ in what is read besides: namespaces, labels, owners. With more, all are read anew. */
const FACES_MAX = 64;

interface KnownSpec {
  readonly faces: Map<string, PodClass>;
  /** What is made for each Pod bears its name. */
  readonly isPersonal: boolean;
}

/** The classes of the Pods that were asked about last. Equal Pods have one class object as long as it is remembered. */
export class PodClasses {
  readonly #plugins: readonly Plugin[];
  readonly #interest: LabelInterest;
  readonly #workloads: Workloads;
  readonly #around: Around;
  readonly #bySpec = new Recent<object, KnownSpec>(CLASSES_MAX);
  readonly #byText = new Recent<string, PodClass>(CLASSES_MAX);
  #version = "";

  constructor(plugins: readonly Plugin[], interest: LabelInterest, workloads: Workloads) {
    this.#plugins = plugins;
    this.#interest = interest;
    this.#workloads = workloads;
    this.#around = {
      relevantLabels: ({ metadata }) => interest.relevant(metadata?.labels),
      spreadSelector: (pod) => workloads.selectorFor(pod),
    };
  }

  of(pod: V1Pod): PodClass {
    this.#forgetStale();
    const { spec = NO_SPEC } = pod;
    let found = this.#bySpec.get(spec);
    if (!found) {
      found = { faces: new Map(), isPersonal: hasOwnClaims(spec) };
      this.#bySpec.set(spec, found);
    }
    const { faces, isPersonal } = found;
    const face = isPersonal ? personalFaceOf(pod) : faceOf(pod);
    let known = faces.get(face);
    if (known) return known;
    if (faces.size >= FACES_MAX) faces.clear();
    faces.set(face, (known = this.#find(spec, pod)));
    return known;
  }

  #forgetStale(): void {
    const version = `${this.#interest.version} ${this.#workloads.version}`;
    if (version === this.#version) return;
    this.#version = version;
    this.#bySpec.clear();
  }

  #find(spec: V1PodSpec, pod: V1Pod): PodClass {
    const readers = readersOf(this.#plugins, spec, pod, this.#around);
    const text = JSON.stringify(readers.map(({ plugin, input }) => [plugin.name, input]));
    let known = this.#byText.get(text);
    if (!known) this.#byText.set(text, (known = new PodClass(readers)));
    return known;
  }
}

const NO_SPEC: V1PodSpec = { containers: [] };

/** What plugins may read of a Pod besides its spec, as text. */
function faceOf({ metadata }: V1Pod): string {
  const { namespace = "", labels, ownerReferences } = metadata ?? {};
  const owner = ownerReferences?.find(({ controller }) => controller);
  const owned = owner ? `${owner.apiVersion} ${owner.kind} ${owner.name}` : "";
  return `${namespace} ${owned} ${labels ? JSON.stringify(labels) : ""}`;
}

function personalFaceOf(pod: V1Pod): string {
  return `${faceOf(pod)} ${pod.metadata?.name} ${pod.metadata?.uid}`;
}

/** What each plugin reads of a Pod, without those that have nothing to say. */
function readersOf(
  plugins: readonly Plugin[],
  spec: V1PodSpec,
  pod: V1Pod,
  around: Around,
): readonly Reader[] {
  return plugins.flatMap((plugin) => {
    const input = plugin.read(spec, pod, around);
    return input === undefined ? [] : [{ plugin, input }];
  });
}
