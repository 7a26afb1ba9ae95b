import type { ByteSource } from "./byte-source.ts";
import type { BodyTarget } from "./chunked-target.ts";
import { Continuations, Rounds, type TaskQueue } from "./rounds.ts";
import type { Untaken } from "./untaken.ts";

/** Below this many bytes compression costs more time than it saves. @spec apiserver handlers/responsewriters defaultGzipThresholdBytes */
export const GZIP_BYTES_MIN = 128 * 1024;

/** Who writes when. */
interface Queues {
  /** For those that go on with what they have. */
  readonly continuations: TaskQueue;
  /** For those whose source has news. */
  readonly rounds: TaskQueue;
}

const QUEUES: Queues = { continuations: new Continuations(), rounds: new Rounds() };

/**
 * Writes `source` to `target` until its end, never ahead of what `target` takes. `first`: bytes already read from it.
 *
 * Between two writes other work of the process gets its turn, so a long body does not stall it.
 * @param untaken bounds how long the target may take nothing; absent: for ever, as watches may.
 * @param queues default: those of the process.
 */
export function pump(
  source: ByteSource,
  target: BodyTarget,
  first?: Buffer,
  untaken?: Untaken,
  { continuations, rounds }: Queues = QUEUES,
): void {
  let isScheduled = false;
  let isBlocked = false;
  /** When the target had enough: there was more to read. */
  let hasMore = false;
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    untaken?.end(target);
    source.close();
  };
  const next = (): Buffer | undefined | null => {
    try {
      return source.read();
    } catch (error) {
      over();
      target.destroy(error as Error);
      return undefined;
    }
  };
  const step = (): void => {
    isScheduled = false;
    if (isOver || isBlocked) return;
    const bytes = next();
    if (bytes === undefined) return;
    if (bytes === null) {
      over();
      target.end();
      return;
    }
    send(bytes);
  };
  const plan = (queue: TaskQueue): void => {
    if (isScheduled || isBlocked || isOver) return;
    isScheduled = true;
    queue.add(step);
  };
  const send = (bytes: Buffer): void => {
    if (bytes.length === 0 || target.write(bytes)) return goOn();
    isBlocked = true;
    hasMore = !source.isWaiting;
    untaken?.start(target, target.writableLength);
  };
  const goOn = (): void => {
    if (!source.isWaiting) plan(continuations);
  };
  target.on("drain", () => {
    isBlocked = false;
    untaken?.end(target);
    // What has happened since is news: on its own way, each of a thousand watchers would write once more for each few of the events of a round.
    if (hasMore) goOn();
    else if (!source.isWaiting) plan(rounds);
  });
  target.on("close", over);
  target.on("error", over);
  if (target.destroyed) return over();
  source.onReadable(() => plan(rounds));
  if (first) send(first);
  else step();
}
