import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { emptyHistory, type Change, type History } from "../world/history.ts";
import { keyOf } from "./world-state.ts";

/** A history written by hand, for tests of checkers: one revision and one second for each change. */
export class Story {
  readonly changes: Change[] = [];
  readonly #present = new Map<string, KubeObject>();

  /** The next change makes `object` what it is now. @returns the object, with its version */
  put<T extends KubeObject>(resource: string, object: T): T {
    const revision = this.changes.length + 1;
    const { metadata } = object;
    const uid = metadata?.uid ?? `uid-of-${metadata?.name}`;
    const versioned = {
      ...object,
      metadata: { ...metadata, uid, resourceVersion: String(revision) },
    } as T;
    this.#add(resource, keyOf(object), versioned);
    return versioned;
  }

  remove(resource: string, key: string): void {
    this.#add(resource, key, undefined);
  }

  /** With what else there was. */
  with(parts: Partial<History> = {}): History {
    return { ...emptyHistory, changes: this.changes, ...parts };
  }

  #add(resource: string, key: string, object: KubeObject | undefined): void {
    const place = `${resource} ${key}`;
    const old = this.#present.get(place);
    if (object) this.#present.set(place, object);
    else this.#present.delete(place);
    const revision = this.changes.length + 1;
    this.changes.push({ revision, atMs: revision * 1000, resource, key, old, object });
  }
}
