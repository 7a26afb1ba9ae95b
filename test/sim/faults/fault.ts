import type { Random } from "../../../src/base/random.ts";
import type { SimNode } from "../world/sim-node.ts";
import type { World } from "../world/world.ts";

/**
 * One thing that goes wrong in a world for a while. One file each; `all-faults.ts` is the list.
 */
export interface Fault {
  readonly name: string;
  /** How often, against the others'. */
  readonly weight: number;
  /** How long it lasts at most, in ms of virtual time. */
  readonly lastsMsMax: number;
  /** @returns what ends it; called once. `undefined`: this world has nothing that it could befall. */
  begin(world: World, random: Random): (() => void) | undefined;
}

/** One of `choices`. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** A node that a fault befalls. */
export function anyNode({ nodes }: World, random: Random): SimNode {
  return oneOf(random, nodes);
}
