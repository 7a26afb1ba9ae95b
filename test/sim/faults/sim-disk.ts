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

/** A file's content after its last sync, and what came since. A truncation is a write of its own kind. */
interface Content {
  synced: Uint8Array;
  pending: (PendingWrite | { readonly length: number })[];
}

/** Faults of a {@link SimDisk}; each may be changed at any time. */
export interface DiskFaults {
  /** Operations that still succeed; at the one after them the power fails. */
  operationsLeft: number;
  /** Bytes that all files may hold together; beyond, a write fails with ENOSPC. */
  capacityBytes: number;
}

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
  #operations = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Operations done so far. */
  get operations(): number {
    return this.#operations;
  }

  async open(path: string): Promise<DiskFile> {
    this.#step();
    let content = this.#files.get(path);
    if (!content) {
      content = { synced: new Uint8Array(0), pending: [] };
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

  /** Cuts the power and starts the machine again: open handles are dead, and what was not synced is a matter of luck. */
  losePower(): void {
    this.#boot++;
    this.faults.operationsLeft = Infinity;
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
      if (boot !== this.#boot) throw new PowerLoss("the machine was restarted");
      this.#step();
    };
    return {
      read: async (offset, length) => {
        step();
        return current(content).slice(offset, offset + length);
      },
      write: async (offset, bytes) => {
        step();
        const growth = Math.max(0, offset + bytes.length - current(content).length);
        if (this.#usedBytes() + growth > this.faults.capacityBytes) throw diskError("ENOSPC");
        content.pending.push({ offset, bytes: bytes.slice() });
      },
      truncate: async (length) => {
        step();
        content.pending.push({ length });
      },
      size: async () => {
        step();
        return current(content).length;
      },
      sync: async () => {
        step();
        content.synced = current(content);
        content.pending = [];
      },
      close: async () => {},
    };
  }

  #step(): void {
    if (this.faults.operationsLeft <= 0) throw new PowerLoss("the power failed");
    this.faults.operationsLeft--;
    this.#operations++;
  }

  #existing(path: string): Content {
    const content = this.#files.get(path);
    if (!content) throw diskError("ENOENT");
    return content;
  }

  #usedBytes(): number {
    let bytes = 0;
    for (const content of this.#files.values()) bytes += current(content).length;
    return bytes;
  }

  #applyTorn(content: Content, change: Content["pending"][number]): void {
    if ("length" in change) {
      if (this.#random.integer(2) === 0) content.synced = applied(content.synced, change);
      return;
    }
    const { offset, bytes } = change;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
      const part = { offset: offset + at, bytes: bytes.subarray(at, end) };
      if (this.#random.integer(2) === 0) content.synced = applied(content.synced, part);
      at = end;
    }
  }
}

function current(content: Content): Uint8Array {
  return content.pending.reduce(applied, content.synced);
}

function applied(base: Uint8Array, change: Content["pending"][number]): Uint8Array {
  if ("length" in change) {
    const cut = new Uint8Array(change.length);
    cut.set(base.subarray(0, change.length));
    return cut;
  }
  const { offset, bytes } = change;
  const out = new Uint8Array(Math.max(base.length, offset + bytes.length));
  out.set(base);
  out.set(bytes, offset);
  return out;
}

function diskError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
