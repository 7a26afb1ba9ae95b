import type { V1Pod, V1ResourceRequirements } from "../gen/types.ts";
import {
  allocationIn,
  allocationOf,
  isSameAllocation,
  withAllocation,
  type Allocation,
} from "./plan/allocation.ts";
import type { PodMemory, ResizeMemory } from "./plan/observed.ts";
import type { ResizeVerdict } from "./plan/resize-verdicts.ts";
import type { PodRuntime } from "./runtime/pod-runtime.ts";

/** What must outlive the kubelet's process about a Pod that was resized. */
export interface AllocationRecord {
  readonly allocated: Allocation;
  /** By container id: what the runtime was told after it had made the container. */
  readonly actuated: ReadonlyMap<string, V1ResourceRequirements>;
  /** Generation of the Pod whose grant has not reached the containers yet. */
  readonly granted?: number;
}

/** Where it is kept. The real one is `executor/allocation-files.ts`. */
export interface AllocationStore {
  load(uid: string): AllocationRecord | undefined;
  save(uid: string, record: AllocationRecord): void;
}

/**
 * What the node has granted to one Pod, beside what the Pod's specification asks for.
 *
 * A Pod that was never resized costs nothing: the grant is its specification, and nothing is kept of it but what its
 * containers were made with (an annotation of theirs).
 */
export class PodSize {
  readonly #uid: string;
  readonly #store: AllocationStore;
  #wanted: V1Pod;
  #granted: V1Pod;
  #allocation: Allocation;

  constructor(pod: V1Pod, store: AllocationStore) {
    this.#uid = pod.metadata?.uid ?? "";
    this.#store = store;
    this.#wanted = this.#granted = pod;
    this.#allocation = allocationOf(pod);
  }

  /** The Pod with the resources that it has been granted. */
  get granted(): V1Pod {
    return this.#granted;
  }

  /** The specification asks for something else. */
  get isOpen(): boolean {
    return !isSameAllocation(allocationOf(this.#wanted), this.#allocation);
  }

  /** The API server has a newer version. */
  update(pod: V1Pod): void {
    const isSameSpec = pod.metadata?.generation === this.#wanted.metadata?.generation;
    const isWhole = this.#granted === this.#wanted;
    this.#wanted = pod;
    if (isSameSpec && isWhole) {
      this.#granted = pod;
      return;
    }
    this.#granted = withAllocation(pod, this.#allocation);
  }

  /** Takes up what an earlier process granted. @returns the memory with what it left undone. */
  adopt(runtime: PodRuntime, memory: PodMemory): PodMemory {
    const record = this.#store.load(this.#uid);
    this.#allocation = record?.allocated ?? allocationIn(runtime, this.#wanted);
    this.#granted = withAllocation(this.#wanted, this.#allocation);
    if (!record) return memory;
    const { actuated, granted } = record;
    return { ...memory, actuated, ...(granted === undefined ? {} : { resize: { granted } }) };
  }

  /** Acts upon a verdict. @returns the memory after it, the same object when nothing is new. */
  decide(verdict: ResizeVerdict, memory: PodMemory): PodMemory {
    const generation = this.#wanted.metadata?.generation ?? 0;
    if (verdict.kind === "granted") {
      this.#allocation = allocationOf(this.#wanted);
      this.#granted = this.#wanted;
      return this.keep({ ...memory, resize: { granted: generation } });
    }
    const { kind: reason, message } = verdict;
    const old = memory.resize?.pending;
    const isSame =
      old?.reason === reason && old.message === message && old.generation === generation;
    if (isSame) return memory;
    const pending = { reason, message, generation };
    return this.keep({ ...memory, resize: { ...memory.resize, pending } });
  }

  /** Forgets that a change was waiting. */
  settle(memory: PodMemory): PodMemory {
    if (!memory.resize?.pending) return memory;
    const { pending: _, ...rest } = memory.resize;
    return withResize(memory, rest);
  }

  /** Keeps what the next process must know. */
  keep(memory: PodMemory): PodMemory {
    const { actuated, resize } = memory;
    const granted = resize?.granted;
    this.#store.save(this.#uid, {
      allocated: this.#allocation,
      actuated,
      ...(granted === undefined ? {} : { granted }),
    });
    return memory;
  }
}

function withResize(memory: PodMemory, resize: ResizeMemory): PodMemory {
  const { resize: _, ...rest } = memory;
  return Object.keys(resize).length === 0 ? rest : { ...rest, resize };
}
