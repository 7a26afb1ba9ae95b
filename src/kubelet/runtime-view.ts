import type { Step } from "./plan/step.ts";
import {
  emptyRuntime,
  withContainer,
  withSandbox,
  type ContainerState,
  type PodRuntime,
  type SandboxState,
} from "./runtime/pod-runtime.ts";

/** Where a worker learns what the runtime has. The real one is `executor/runtime-reader.ts`. */
export interface RuntimeSource {
  read(uid: string): Promise<PodRuntime>;
  /** `undefined`: the runtime has it no more. */
  readSandbox(id: string): Promise<SandboxState | undefined>;
  readContainer(uid: string, id: string, sandboxId: string): Promise<ContainerState | undefined>;
}

/**
 * What the runtime has of one Pod, as it was read last.
 *
 * Readings of the whole never overlap: of two that do, the older answer may come last.
 */
export class RuntimeView {
  readonly #source: RuntimeSource;
  readonly #uid: string;
  readonly #onChange: (runtime: PodRuntime) => void;
  #runtime: PodRuntime = emptyRuntime;
  /** Stays until no other reading waits for its end. */
  #reading: Promise<void> | undefined;
  #nextReading: Promise<void> | undefined;
  /** Whole readings begun so far: what was asked for before one of them is older than its answer. */
  #readings = 0;

  constructor(source: RuntimeSource, uid: string, onChange: (runtime: PodRuntime) => void) {
    this.#source = source;
    this.#uid = uid;
    this.#onChange = onChange;
  }

  get runtime(): PodRuntime {
    return this.#runtime;
  }

  /** Reads everything: a reading that begins now or later, shared by all who ask meanwhile. */
  refresh(): Promise<void> {
    if (!this.#reading) return this.#read();
    this.#nextReading ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#nextReading = undefined;
        return this.#read();
      });
    return this.#nextReading;
  }

  /** Reads what a step has changed: the one thing it made where that is all, else everything. */
  async readAfter(step: Step, made: string | undefined): Promise<void> {
    if (made === undefined || this.#reading) return this.refresh();
    const before = this.#readings;
    const change = await this.#readMade(step, made);
    if (!change || this.#readings !== before) return this.refresh();
    this.#adopt(change(this.#runtime));
  }

  #read(): Promise<void> {
    this.#readings++;
    const reading = this.#source
      .read(this.#uid)
      .then((runtime) => this.#adopt(runtime))
      .finally(() => {
        if (!this.#nextReading) this.#reading = undefined;
      });
    this.#reading = reading;
    return reading;
  }

  #adopt(runtime: PodRuntime): void {
    this.#runtime = runtime;
    this.#onChange(runtime);
  }

  async #readMade(
    step: Step,
    id: string,
  ): Promise<((runtime: PodRuntime) => PodRuntime) | undefined> {
    if (step.kind === "createSandbox") {
      const sandbox = await this.#source.readSandbox(id);
      return sandbox && ((known) => withSandbox(known, sandbox));
    }
    if (step.kind !== "startContainer") return undefined;
    const container = await this.#source.readContainer(this.#uid, id, step.sandboxId);
    return container && ((known) => withContainer(known, container));
  }
}
