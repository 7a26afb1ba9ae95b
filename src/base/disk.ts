/** One open file. Offsets and lengths in bytes. */
export interface DiskFile {
  /** Reads up to `length` bytes at `offset`; shorter at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Resolves when all earlier writes would survive a power loss. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The little of a file system that a storage engine needs. A write is lost at power loss unless a later `sync` of
 * its file, and for new names of its folder, has resolved.
 *
 * @throws {Error} with `code` `ENOENT`, `EEXIST`, `ENOSPC` or `EIO`, as Node's own do.
 */
export interface Disk {
  open(path: string): Promise<DiskFile>;
  list(folder: string): Promise<readonly string[]>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}
