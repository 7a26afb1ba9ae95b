import { Recent } from "../base/recent.ts";
import type { V1Pod, V1PodSpec } from "../gen/types.ts";
import type { ClusterChange, NodeTest, Plugin } from "./framework.ts";

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

  /** True when the change may make Pods fit that the named plugins refused. None: any change may. */
  canBeHelped(change: ClusterChange, refusedBy: ReadonlySet<string>): boolean {
    if (refusedBy.size === 0) return true;
    return this.readers.some(
      ({ plugin, input }) =>
        refusedBy.has(plugin.name) && (plugin.canHelp?.(change, input) ?? true),
    );
  }
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

/** The classes of the Pods that were asked about last. Equal Pods have one class object as long as it is remembered. */
export class PodClasses {
  readonly #plugins: readonly Plugin[];
  readonly #bySpec = new Recent<object, PodClass>(CLASSES_MAX);
  readonly #byText = new Recent<string, PodClass>(CLASSES_MAX);

  constructor(plugins: readonly Plugin[]) {
    this.#plugins = plugins;
  }

  of({ spec }: V1Pod): PodClass {
    if (!spec) return this.#find({ containers: [] });
    let known = this.#bySpec.get(spec);
    if (!known) this.#bySpec.set(spec, (known = this.#find(spec)));
    return known;
  }

  #find(spec: V1PodSpec): PodClass {
    const readers = readersOf(this.#plugins, spec);
    const text = JSON.stringify(readers.map(({ plugin, input }) => [plugin.name, input]));
    let known = this.#byText.get(text);
    if (!known) this.#byText.set(text, (known = new PodClass(readers)));
    return known;
  }
}

/** What each plugin reads of a Pod, without those that have nothing to say. */
export function readersOf(plugins: readonly Plugin[], spec: V1PodSpec): readonly Reader[] {
  return plugins.flatMap((plugin) => {
    const input = plugin.read(spec);
    return input === undefined ? [] : [{ plugin, input }];
  });
}
