import type { Revision } from "./store.ts";

/** Where one version lies in the log: the commit's revision, and its place inside the commit. */
export interface Position {
  readonly revision: Revision;
  readonly sub: number;
}

/** The newest version of a key, without its value. */
export interface Head {
  readonly position: Position;
  readonly createRevision: Revision;
  readonly isDeleted: boolean;
}

/** One version of a key. The log is what watches replay and what older revisions are read from. */
export interface LogEntry {
  readonly kind: "put" | "delete";
  readonly key: string;
  readonly position: Position;
  /** The version before, a deletion included; absent: the key had none. It may have been compacted away. */
  readonly previous?: Position;
  /** For a delete: of the record that ended. */
  readonly createRevision: Revision;
  readonly value?: Buffer;
}

/** A log entry to forget, or the head of a key whose deletion was forgotten. */
export type Removal =
  | { readonly kind: "entry"; readonly key: string; readonly position: Position }
  | { readonly kind: "head"; readonly key: string };

/** What the store knows of itself. */
export interface StoreState {
  readonly schema: number;
  /** No revision above this one was issued. */
  readonly highWater: Revision;
  /** The store was closed, and `highWater` is exactly its revision. */
  readonly isClean: boolean;
  readonly compacted: Revision;
  /** Up to here the log holds no superseded version; `compacted` runs ahead of it. */
  readonly swept: Revision;
}

/** One atomic write. Removals come first; each entry also becomes its key's head. */
export interface Batch {
  readonly isVolatile: boolean;
  readonly removals: readonly Removal[];
  readonly entries: readonly LogEntry[];
  readonly state?: StoreState;
}

/**
 * What an engine adds to {@link RevisionedStore}: a table of heads, a log, and an atomic, durable write.
 *
 * Why so small: decisions, order, history and watches are then the same code in every engine, and the simulation tests it.
 * Reads are synchronous and see every write that has resolved; whether they see one in flight does not matter.
 */
export interface Backend {
  /** What was last written; `undefined` in a new store. */
  readonly state: StoreState | undefined;

  isVolatile(key: string): boolean;
  head(key: string): Head | undefined;
  entry(key: string, position: Position): LogEntry | undefined;
  /** `from` ≤ key < `to`, ascending by the keys' bytes. */
  heads(from: string, to: string): Iterable<readonly [key: string, head: Head]>;
  /** `after` < revision ≤ `upTo`, ascending by position. */
  entries(after: Revision, upTo: Revision): Iterable<LogEntry>;

  /** Writes cost the same for many as for one, so a group waits for all that this turn of the event loop still commits. */
  readonly gathersTurns?: boolean;

  /**
   * Resolves when all of `batch` would survive what the contract promises. Called one at a time.
   *
   * @throws {StoreFull} nothing was written. Anything else: the outcome is unknown.
   */
  write(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

/** How far the log before a backend has reached the backend itself. */
export interface LogMark {
  /** Of the opening that wrote the log, 8 bytes as hex digits: what other openings left in the files is not meant. */
  readonly id: string;
  /** The last of its records that is in the backend too. */
  readonly sequence: number;
}

/** What a backend adds so that a log can stand before it. */
export interface LoggableBackend extends Backend {
  /** What the last `apply` left; `undefined`: there never was a log. */
  readonly mark: LogMark | undefined;
  /** Whether the disk has room for all that a log may hold. */
  readonly isRoomy: boolean;

  /**
   * Resolves when all of `batches`, none volatile, one after the other, and `mark` are durable, as one atomic write.
   * One at a time, but volatile `write`s may go on beside it.
   *
   * @throws {StoreFull} nothing was written. Anything else: the outcome is unknown.
   */
  apply(batches: readonly Batch[], mark: LogMark): Promise<void>;
}

/** One of the two files of a log. */
export interface LogSegment {
  readonly name: string;
  /** Up to here the file has blocks of its own, so that a write needs no more of them. */
  readonly bytes: number;
  /** All of it. */
  read(): Promise<Buffer>;
  /**
   * Resolves when the bytes would survive a power loss. `mayHold`: nobody else waits, so this thread may do it itself where that
   * is quicker than to ask another one.
   * @throws {StoreFull} no space; the bytes may be there in part. Anything else: likewise.
   */
  write(at: number, bytes: Buffer, mayHold?: boolean): Promise<void>;
  close(): Promise<void>;
}
