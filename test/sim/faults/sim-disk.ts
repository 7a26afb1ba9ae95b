import type { Disk, DiskFile } from "../../../src/base/disk.ts";
import type { Random } from "../../../src/base/random.ts";

/** Bytes that reach the platter whole or not at all. */
const SECTOR_BYTES = 512;

/** The power is gone; so is the machine that asked. */
export class PowerLoss extends Error {
  override readonly name = "PowerLoss";
}

interface PendingWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A truncation is a write of its own kind. */
type Change = PendingWrite | { readonly length: number };

/** A file's content after its last sync, and what came since. */
interface Content {
  readonly synced: GrowingBytes;
  pending: Change[];
}

/** Faults of a {@link SimDisk}; each may be changed at any time. */
export interface DiskFaults {
  /** Operations that still succeed; at the one after them the power fails. */
  operationsLeft: number;
  /** Bytes that all files may hold together; beyond, a write fails with ENOSPC. */
  capacityBytes: number;
}

/** Who had the disk open: the power failed, or its process ended. */
type End = "power" | "process";

/**
 * A disk in memory that loses power: of what was not synced, each sector of each write survives or not, by `random`.
 *
 * Names obey the same rule: a file made, renamed or removed is so after a power loss only if its folder was synced
 * after that, or by chance.
 */
export class SimDisk implements Disk {
  readonly faults: DiskFaults = { operationsLeft: Infinity, capacityBytes: Infinity };
  readonly #random: Random;
  #files = new Map<string, Content>();
  #syncedNames = new Map<string, Content>();
  #boot = 0;
  #lastEnd: End = "process";
  #operations = 0;
  /** Called when {@link DiskFaults.operationsLeft} has run out: once, before the operation fails. */
  onPowerFailure: () => void = () => {};

  constructor(random: Random) {
    this.#random = random;
  }

  /** Operations done so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Of all files together. */
  get usedBytes(): number {
    let bytes = 0;
    for (const content of this.#files.values()) bytes += lengthOf(content);
    return bytes;
  }

  async open(path: string): Promise<DiskFile> {
    this.#step();
    let content = this.#files.get(path);
    if (!content) {
      content = { synced: new GrowingBytes(), pending: [] };
      this.#files.set(path, content);
    }
    return this.#handle(content);
  }

  async list(folder: string): Promise<readonly string[]> {
    this.#step();
    const prefix = `${folder}/`;
    const names = [...this.#files.keys()].filter((path) => path.startsWith(prefix));
    return names.map((path) => path.slice(prefix.length)).sort();
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    this.#files.set(to, this.#existing(from));
    this.#files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    this.#existing(path);
    this.#files.delete(path);
  }

  async syncFolder(folder: string): Promise<void> {
    this.#step();
    const isInside = (path: string): boolean => path.startsWith(`${folder}/`);
    for (const path of this.#syncedNames.keys()) if (isInside(path)) this.#syncedNames.delete(path);
    for (const [path, content] of this.#files)
      if (isInside(path)) this.#syncedNames.set(path, content);
  }

  /** Whoever has files open is killed: open handles are dead; the operating system keeps what was written. */
  endProcess(): void {
    this.#end("process");
  }

  /** Cuts the power and starts the machine again: open handles are dead, and what was not synced is a matter of luck. */
  losePower(): void {
    this.#end("power");
    const names = this.#random.integer(2) === 0 ? this.#files : this.#syncedNames;
    this.#files = new Map(names);
    this.#syncedNames = new Map(names);
    for (const content of new Set(this.#files.values())) {
      for (const change of content.pending) this.#applyTorn(content, change);
      content.pending = [];
    }
  }

  #handle(content: Content): DiskFile {
    const boot = this.#boot;
    const step = (): void => {
      if (boot !== this.#boot) throw new PowerLoss(`the ${this.#lastEnd} is gone`);
      this.#step();
    };
    return {
      read: async (offset, length) => {
        step();
        return current(content).slice(offset, offset + length);
      },
      write: async (offset, bytes) => {
        step();
        const growth = Math.max(0, offset + bytes.length - lengthOf(content));
        if (this.usedBytes + growth > this.faults.capacityBytes) throw diskError("ENOSPC");
        content.pending.push({ offset, bytes: bytes.slice() });
      },
      truncate: async (length) => {
        step();
        content.pending.push({ length });
      },
      size: async () => {
        step();
        return lengthOf(content);
      },
      sync: async () => {
        step();
        for (const change of content.pending) apply(content.synced, change);
        content.pending = [];
      },
      close: async () => {},
    };
  }

  #step(): void {
    if (this.faults.operationsLeft <= 0) {
      this.onPowerFailure();
      throw new PowerLoss("the power failed");
    }
    this.faults.operationsLeft--;
    this.#operations++;
  }

  #end(end: End): void {
    this.#boot++;
    this.#lastEnd = end;
    this.faults.operationsLeft = Infinity;
  }

  #existing(path: string): Content {
    const content = this.#files.get(path);
    if (!content) throw diskError("ENOENT");
    return content;
  }

  #applyTorn({ synced }: Content, change: Change): void {
    if ("length" in change) {
      if (this.#random.integer(2) === 0) apply(synced, change);
      return;
    }
    const { offset, bytes } = change;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
      const part = { offset: offset + at, bytes: bytes.subarray(at, end) };
      if (this.#random.integer(2) === 0) apply(synced, part);
      at = end;
    }
  }
}

/** Bytes that are mostly appended to: growing costs nothing on the average. */
class GrowingBytes {
  #buffer = new Uint8Array(4096);
  length = 0;

  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.resize(Math.max(this.length, offset + bytes.length));
    this.#buffer.set(bytes, offset);
  }

  /** What is cut off, and what a file gains without being written, is zero. */
  resize(length: number): void {
    if (length < this.length) this.#buffer.fill(0, length, this.length);
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.length = length;
  }
}

function apply(bytes: GrowingBytes, change: Change): void {
  if ("length" in change) bytes.resize(change.length);
  else bytes.write(change.offset, change.bytes);
}

function current({ synced, pending }: Content): Uint8Array {
  if (pending.length === 0) return synced.view;
  const copy = new GrowingBytes();
  copy.write(0, synced.view);
  for (const change of pending) apply(copy, change);
  return copy.view;
}

function lengthOf({ synced, pending }: Content): number {
  return pending.reduce(
    (length, change) =>
      "length" in change ? change.length : Math.max(length, change.offset + change.bytes.length),
    synced.length,
  );
}

function diskError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
