import type { Step } from "./plan/step.ts";
import {
  emptyRuntime,
  isAlive,
  withContainer,
  withoutContainer,
  withoutSandbox,
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

  /** Reads what a step has changed, when it succeeded: the one thing it was about where that is all, else everything. */
  async readAfter(step: Step, made?: string): Promise<void> {
    if (this.#reading) return this.refresh();
    const before = this.#readings;
    const change = await this.#changeBy(step, made);
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

  /** `undefined`: only a whole reading can tell. */
  async #changeBy(step: Step, made: string | undefined): Promise<Change | undefined> {
    switch (step.kind) {
      case "createSandbox":
        return made === undefined ? undefined : this.#sandboxChange(made);
      case "startContainer":
        return made === undefined ? undefined : this.#containerChange(made, step.sandboxId);
      case "killContainer":
      case "stopSandbox":
        return this.#changeOf(step.id);
      case "removeContainer":
        return (known) => withoutContainer(known, step.id);
      case "removeSandbox":
        // With the last one the Pod is over: nothing may be left that nobody knew of.
        return this.#runtime.sandboxes.length > 1
          ? (known) => withoutSandbox(known, step.id)
          : undefined;
      default:
        return undefined;
    }
  }

  async #changeOf(id: string): Promise<Change | undefined> {
    const { containers } = this.#runtime;
    const container = containers.find((known) => known.id === id);
    if (container) return this.#containerChange(id, container.sandboxId);
    // Its containers end with a sandbox.
    const isEmpty = !containers.some((known) => known.sandboxId === id && isAlive(known));
    return isEmpty ? this.#sandboxChange(id) : undefined;
  }

  async #sandboxChange(id: string): Promise<Change | undefined> {
    const sandbox = await this.#source.readSandbox(id);
    return sandbox && ((known) => withSandbox(known, sandbox));
  }

  async #containerChange(id: string, sandboxId: string): Promise<Change | undefined> {
    const container = await this.#source.readContainer(this.#uid, id, sandboxId);
    return container && ((known) => withContainer(known, container));
  }
}

type Change = (runtime: PodRuntime) => PodRuntime;
