import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import type { Node } from "../../api/core/node.ts";
import { MACHINE_LABEL } from "../../api/storage/own-volumes.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import { Groups } from "../../base/groups.ts";
import { SortedMap } from "../../base/sorted-map.ts";

/** Above all names of nodes. */
const END = "\uffff";

/** Which claims wait for a volume, and where volumes can be made: folded from changes, so that neither a node nor a claim is a walk over the other. */
export class ProvisionIndex {
  /** Keys of claims by their class: those that wait for a volume, and of them those that no node could have. */
  readonly #waiting = new Groups();
  readonly #homeless = new Groups();
  /** Names and labels of nodes of machines, by name. */
  readonly #nodes = new SortedMap<Node>();
  /** The machine for a class, until a node of a machine comes, changes or goes. */
  #machines = new WeakMap<StorageClass, { readonly machine: string | undefined }>();

  /** `className` `undefined`: the claim waits for no volume from here. */
  setClaim(key: string, className: string | undefined): void {
    this.#waiting.put(key, className === undefined ? [] : [className], key);
    if (className === undefined) this.#homeless.remove(key);
  }

  /** `undefined`: it is gone. */
  setNode(name: string, node: Node | undefined): void {
    const labels = node?.metadata?.labels;
    if (labels?.[MACHINE_LABEL] === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, { metadata: { name, labels } });
    this.#machines = new WeakMap();
  }

  waitingFor(className: string): readonly string[] {
    return this.#waiting.of(className);
  }

  /** Whether there is a node for the claim. Who has none is looked for by {@link homeless}. */
  setHome(key: string, className: string, hasHome: boolean): void {
    this.#homeless.put(key, hasHome ? [] : [className], key);
  }

  /** Claims that wait for a node of a machine, by class. */
  homeless(): readonly (readonly [className: string, claims: readonly string[]])[] {
    return [...this.#homeless.groups()].map((name) => [name, this.#homeless.of(name)]);
  }

  /** The machine of the first node, by name, that the class allows. */
  machineFor(storageClass: StorageClass): string | undefined {
    const known = this.#machines.get(storageClass);
    if (known) return known.machine;
    const limit = storageClass.allowedTopologies?.length ? Infinity : 1;
    const nodes = this.#nodes.slice("", END, limit);
    const found = nodes.find((node) => isAllowed(storageClass, node));
    const machine = found && machineOf(found);
    this.#machines.set(storageClass, { machine });
    return machine;
  }
}

/** The machine whose volumes a node has; `undefined`: it has none. */
export function machineOf({ metadata }: Node): string | undefined {
  return metadata?.labels?.[MACHINE_LABEL];
}

/** Whether the class has volumes on such a node. */
export function isAllowed({ allowedTopologies = [] }: StorageClass, node: Node): boolean {
  const terms = allowedTopologies.map(({ matchLabelExpressions = [] }) => ({
    matchExpressions: matchLabelExpressions.map((one) => ({ ...one, operator: "In" })),
  }));
  return terms.length === 0 || matchesAnyTerm(terms, node);
}
