import type { Writable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { ByteSource } from "./byte-source.ts";
import type { Deadlines } from "./deadlines.ts";

/** Answers whose bytes are ready, and which a client has yet to take. */
export type Untaken = Deadlines<Writable>;

/** Below this many bytes compression costs more time than it saves. @spec apiserver handlers/responsewriters defaultGzipThresholdBytes */
export const GZIP_BYTES_MIN = 128 * 1024;

/** Fast, as upstream's: the server's processor is worth more than a local network. */
const GZIP_LEVEL = constants.Z_BEST_SPEED;

/** Milliseconds of writing in one turn of the loop, of each of the two kinds. Doubling doubles what requests wait. */
const WRITE_MS = 4;
/**
 * After a round of writing to all whose source has news, pause for so many times what the round took, at most {@link PAUSE_MS_MAX}: what happens
 * meanwhile goes out together. Without it, a thousand watchers and a hundred changes a second are a hundred thousand writes; with it
 * writing takes a third of the time at most. A lone event of a few watchers pauses nobody: its round takes no time.
 */
const PAUSE_FACTOR = 2;
/** Doubling it delays events of very many watchers by as much, and halves the writes. */
const PAUSE_MS_MAX = 40;
/** Rounds shorter than this, ms, need no pause. */
const ROUND_MS_MIN = 1;

type Task = () => void;

/** Runs tasks from the front for one share of a turn. @returns the milliseconds it took */
function runSome(tasks: Task[]): number {
  const beganMs = performance.now();
  const count = tasks.length;
  let done = 0;
  let tookMs = 0;
  while (done < count && tookMs < WRITE_MS) {
    tasks[done++]!();
    tookMs = performance.now() - beganMs;
  }
  tasks.splice(0, done);
  return tookMs;
}

/** Those that go on with what they have: in rotation, so that a thousand long bodies get equal shares. */
class Continuations {
  readonly #tasks: Task[] = [];

  add(task: Task): void {
    if (this.#tasks.push(task) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    runSome(this.#tasks);
    if (this.#tasks.length > 0) setImmediate(this.#run);
  };
}

/** Those whose source has news: served in rounds, so that the events of a round are one write for each. */
class Rounds {
  /** Woken since the round began: for the next. */
  #next: Task[] = [];
  #round: Task[] = [];
  #roundMs = 0;
  #isPlanned = false;

  add(task: Task): void {
    this.#next.push(task);
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    if (this.#round.length === 0) {
      [this.#round, this.#next] = [this.#next, this.#round];
      this.#roundMs = 0;
    }
    this.#roundMs += runSome(this.#round);
    if (this.#round.length > 0) return void setImmediate(this.#run);
    if (this.#roundMs >= ROUND_MS_MIN) {
      setTimeout(this.#afterPause, Math.min(PAUSE_MS_MAX, this.#roundMs * PAUSE_FACTOR));
    } else this.#afterPause();
  };

  readonly #afterPause = (): void => {
    this.#isPlanned = this.#next.length > 0;
    if (this.#isPlanned) setImmediate(this.#run);
  };
}

const continuations = new Continuations();
const rounds = new Rounds();

/**
 * Writes `source` to `target` until its end, never ahead of what `target` takes. `first`: bytes already read from it.
 *
 * Between two writes other work of the process gets its turn, so a long body does not stall it.
 * @param untaken bounds how long the target may take nothing; absent: for ever, as watches may.
 */
export function pump(
  source: ByteSource,
  target: Writable,
  first?: Buffer,
  untaken?: Untaken,
): void {
  let isScheduled = false;
  let isBlocked = false;
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
  const plan = (queue: Continuations | Rounds): void => {
    if (isScheduled || isBlocked || isOver) return;
    isScheduled = true;
    queue.add(step);
  };
  const send = (bytes: Buffer): void => {
    if (bytes.length === 0 || target.write(bytes)) return goOn();
    isBlocked = true;
    untaken?.start(target);
  };
  const goOn = (): void => {
    if (!source.isWaiting) plan(continuations);
  };
  target.on("drain", () => {
    isBlocked = false;
    untaken?.end(target);
    goOn();
  });
  target.on("close", over);
  target.on("error", over);
  if (target.destroyed) return over();
  source.onReadable(() => plan(rounds));
  if (first) send(first);
  else step();
}

/** Like {@link pump}, compressed on the way. */
export function pumpGzipped(
  source: ByteSource,
  target: Writable,
  first: Buffer,
  untaken: Untaken,
): void {
  const gzip = createGzip({ level: GZIP_LEVEL });
  target.on("close", () => gzip.destroy());
  gzip.on("error", () => target.destroy());
  gzip.on("close", () => gzip.readableEnded || target.destroy());
  gzip.pipe(target);
  pump(source, gzip, first, untaken);
}
