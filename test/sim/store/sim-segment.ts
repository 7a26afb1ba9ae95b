import type { Disk, DiskFile } from "../../../src/base/disk.ts";
import type { LogSegment } from "../../../src/store/backend.ts";
import { StoreFull } from "../../../src/store/store.ts";

/** A file of the write-ahead log on the injected disk. */
export class SimSegment implements LogSegment {
  readonly name: string;
  bytes: number;
  readonly #file: DiskFile;

  private constructor(name: string, file: DiskFile, bytes: number) {
    this.name = name;
    this.#file = file;
    this.bytes = bytes;
  }

  /** Makes the file if it is missing; its name is not durable yet. */
  static async open(disk: Disk, name: string): Promise<SimSegment> {
    const file = await disk.open(name);
    return new SimSegment(name, file, await file.size());
  }

  async read(): Promise<Buffer> {
    return Buffer.from(await this.#file.read(0, this.bytes));
  }

  async write(at: number, bytes: Buffer): Promise<void> {
    try {
      await this.#file.write(at, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      throw new StoreFull("the simulated disk is full", { cause: error });
    }
    await this.#file.sync();
    this.bytes = Math.max(this.bytes, at + bytes.length);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
