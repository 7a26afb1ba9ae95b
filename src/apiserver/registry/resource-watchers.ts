import type { KubeObject } from "../../api/machinery/object.ts";
import type { CacheEvent } from "./event-ring.ts";

/** Someone who is told that there is something to read; must not throw and must not read at once. */
export interface Watcher {
  /** `first`: the number of the first event that may be for it, if it had read everything before. */
  wake(first: number): void;
}

/** What all objects that a watcher wants have in common: who has another value need not be shown to it. */
export interface Trigger {
  /** "": the key. Else a selectable field, which `read` reads. */
  readonly field: string;
  readonly value: string;
  readonly read?: (object: KubeObject) => string;
}

interface Index {
  readonly read: Trigger["read"];
  readonly byValue: Map<string, Set<Watcher>>;
}

/**
 * The watchers of one resource, and whom an event wakes.
 *
 * Why not all: a cluster of 5,000 nodes has as many watchers of Pods by node, and ten times as many of single ConfigMaps; an event is for
 * one or two of them.
 * @spec k8s@1.36 apiserver storage/cacher (indexed triggers)
 */
export class ResourceWatchers {
  /** Those that want all there is and have read all: each is woken once, and comes back when it sleeps again. */
  #sleeping = new Set<Watcher>();
  readonly #indexes = new Map<string, Index>();
  /** To be woken after this batch, by the first event that concerns them. */
  readonly #due = new Map<Watcher, number>();
  #first: number | undefined;

  add(watcher: Watcher, trigger: Trigger | undefined): void {
    if (!trigger) return this.sleep(watcher);
    const { field, value, read } = trigger;
    let index = this.#indexes.get(field);
    if (!index) this.#indexes.set(field, (index = { read, byValue: new Map() }));
    const known = index.byValue.get(value);
    if (known) known.add(watcher);
    else index.byValue.set(value, new Set([watcher]));
  }

  /** A watcher without a trigger has read all: the next event wakes it. */
  sleep(watcher: Watcher): void {
    this.#sleeping.add(watcher);
  }

  remove(watcher: Watcher, trigger: Trigger | undefined): void {
    this.#due.delete(watcher);
    if (!trigger) return void this.#sleeping.delete(watcher);
    const index = this.#indexes.get(trigger.field);
    const watchers = index?.byValue.get(trigger.value);
    watchers?.delete(watcher);
    if (watchers?.size === 0) index!.byValue.delete(trigger.value);
    if (index?.byValue.size === 0) this.#indexes.delete(trigger.field);
  }

  /** An event has happened; `number`: its place in the ring. */
  note(event: CacheEvent, number: number): void {
    this.#first ??= number;
    for (const { read, byValue } of this.#indexes.values()) {
      if (!read) {
        this.#noteValue(byValue, event.key, number);
        continue;
      }
      const value = event.version && read(event.version.object);
      const before = event.old && read(event.old.object);
      if (value !== undefined) this.#noteValue(byValue, value, number);
      if (before !== undefined && before !== value) this.#noteValue(byValue, before, number);
    }
  }

  /** The batch is applied: wakes whom it concerns. */
  wake(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#first = undefined;
    if (this.#sleeping.size > 0) {
      const woken = this.#sleeping;
      this.#sleeping = new Set();
      for (const watcher of woken) watcher.wake(first);
    }
    for (const [watcher, number] of this.#due) watcher.wake(number);
    this.#due.clear();
  }

  #noteValue(byValue: Index["byValue"], value: string, number: number): void {
    for (const watcher of byValue.get(value) ?? [])
      if (!this.#due.has(watcher)) this.#due.set(watcher, number);
  }
}
