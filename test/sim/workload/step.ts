import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Client, KeyArgument } from "../../../src/client/client.ts";
import { MARK } from "../world/history.ts";

/**
 * One thing that a user does. A row of a table: to add one, write it into the table of its kind.
 *
 * A refusal or a lost answer is thrown, and no failure of the step: users meet those.
 */
export interface Step {
  readonly name: string;
  /** How often, against the others'. */
  readonly weight: number;
  run(scene: Scene): Promise<unknown>;
}

/** What a step acts through and on. */
export class Scene {
  readonly client: Client;
  readonly random: Random;
  /** What there is now, by resource. */
  readonly present: (resource: string) => readonly KubeObject[];
  readonly #nextMark: () => string;

  /** `nextMark`: another text each time. */
  constructor(
    client: Client,
    random: Random,
    present: (resource: string) => readonly KubeObject[],
    nextMark: () => string,
  ) {
    this.client = client;
    this.random = random;
    this.present = present;
    this.#nextMark = nextMark;
  }

  /** One of `choices`. */
  oneOf<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.random.integer(choices.length)]!;
  }

  /** True in `percent` of a hundred cases. */
  isLucky(percent: number): boolean {
    return this.random.integer(100) < percent;
  }

  /** An object of `resource` that exists now; `undefined` when there is none. */
  anyOf<T extends KubeObject>(
    resource: string,
    where: (object: T) => boolean = () => true,
  ): T | undefined {
    const found = (this.present(resource) as readonly T[]).filter(where);
    return found[this.random.integer(Math.max(1, found.length))];
  }

  namespace(): string {
    return this.oneOf(...NAMESPACES);
  }

  /** Tells this write from all others. */
  marked(): { readonly [MARK]: string } {
    return { [MARK]: this.#nextMark() };
  }
}

/** Where users work. The first one is always there. */
export const NAMESPACES = ["default", "blue", "green"] as const;
/** What their programs are called; a Pod carries `app: NAME`. */
export const APPS = ["web", "api", "db"] as const;
/** A finalizer of the users' own; somebody removes it sooner or later. */
export const FINALIZER = "sim.skiff.dev/hold";
/** What of an object's metadata takes it off, in a strategic merge patch. */
export const WITHOUT_FINALIZER = { "$deleteFromPrimitiveList/finalizers": [FINALIZER] };

/** Where an object is. */
export function placeOf({ metadata }: KubeObject): KeyArgument {
  const { name = "", namespace } = metadata ?? {};
  return namespace === undefined ? { name } : { namespace, name };
}
