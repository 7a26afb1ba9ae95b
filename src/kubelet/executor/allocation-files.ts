import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { V1ResourceRequirements } from "../../gen/types.ts";
import type { AllocationRecord, AllocationStore } from "../pod-size.ts";
import { foldersOf } from "../volumes/volume-paths.ts";

/** What the file holds. */
interface Stored {
  readonly allocated: Readonly<Record<string, V1ResourceRequirements>>;
  readonly actuated: Readonly<Record<string, V1ResourceRequirements>>;
  readonly granted?: number;
}

/** Keeps what resized Pods were granted in a file of each Pod's folder; a Pod that was never resized has none. */
export class AllocationFiles implements AllocationStore {
  readonly #stateRoot: string;

  constructor(stateRoot: string) {
    this.#stateRoot = stateRoot;
  }

  load(uid: string): AllocationRecord | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path(uid), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return undefined;
    }
    const { allocated, actuated, granted } = JSON.parse(text) as Stored;
    return {
      allocated: new Map(Object.entries(allocated)),
      actuated: new Map(Object.entries(actuated)),
      ...(granted === undefined ? {} : { granted }),
    };
  }

  save(uid: string, { allocated, actuated, granted }: AllocationRecord): void {
    const stored: Stored = {
      allocated: Object.fromEntries(allocated),
      actuated: Object.fromEntries(actuated),
      ...(granted === undefined ? {} : { granted }),
    };
    const path = this.#path(uid);
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    writeFileSync(`${path}.new`, JSON.stringify(stored));
    renameSync(`${path}.new`, path);
  }

  #path(uid: string): string {
    return `${foldersOf(this.#stateRoot, uid).pod}/resources.json`;
  }
}
