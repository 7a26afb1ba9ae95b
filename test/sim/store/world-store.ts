import type { Clock } from "../../../src/base/clock.ts";
import type { Disk } from "../../../src/base/disk.ts";
import type { Backend, LogEntry } from "../../../src/store/backend.ts";
import { openLogged } from "../../../src/store/logged-backend.ts";
import { openStore } from "../../../src/store/revisioned-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { SimBackend } from "./sim-backend.ts";
import { SimSegment } from "./sim-segment.ts";

/** Above every revision. */
const REVISIONS_END = 2 ** 52;

/** Who is told what is on the disk. */
export interface DiskWitness {
  /** The store was opened: `newest` of each key is there, and these versions in all, older ones as far as they are kept. */
  opened(newest: (key: string) => LogEntry | undefined, versions: () => Iterable<LogEntry>): void;
  /** These are durable now; volatile ones as durable as they ever are. */
  wrote(entries: readonly LogEntry[]): void;
}

/** What a world's store needs. */
export interface WorldStoreOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly clock: Clock;
  /** 8 bytes as hex digits, other ones for each opening. */
  readonly id: string;
  readonly isVolatile: (key: string) => boolean;
  readonly witness: DiskWitness;
}

/** The store as a server has it, a log before its engine, on the simulated disk. */
export async function openWorldStore(options: WorldStoreOptions): Promise<Store> {
  const { disk, folder, clock, id, isVolatile, witness } = options;
  const engine = await SimBackend.open(disk, folder, { isVolatile });
  const segments = [
    await SimSegment.open(disk, `${folder}/0.log`),
    await SimSegment.open(disk, `${folder}/1.log`),
  ] as const;
  await disk.syncFolder(folder);
  const backend = await openLogged(engine, segments, id, clock);
  witness.opened(
    (key) => {
      const head = backend.head(key);
      return head && backend.entry(key, head.position);
    },
    () => backend.entries(0, REVISIONS_END),
  );
  return openStore(witnessed(backend, witness));
}

/** `backend`, with a witness of what it has written. */
function witnessed(backend: Backend, witness: DiskWitness): Backend {
  return {
    get state() {
      return backend.state;
    },
    isVolatile: (key) => backend.isVolatile(key),
    head: (key) => backend.head(key),
    entry: (key, position) => backend.entry(key, position),
    heads: (from, to) => backend.heads(from, to),
    entries: (after, upTo) => backend.entries(after, upTo),
    async write(batch) {
      await backend.write(batch);
      witness.wrote(batch.entries);
    },
    close: () => backend.close(),
  };
}
