/** Milliseconds of writing in one turn of the loop, of each of the two kinds, at first. Doubling doubles what requests wait. */
const WRITE_MS = 4;
/**
 * In the next turns a round goes on for as long as it has lasted, at most so many milliseconds: else a round to a thousand watchers is five turns
 * of writing, each with as much of other work behind it as there is, and the last one hears late of what the first one knows. And each turn has its own
 * events, which are found and encoded for it. Doubling it makes the longest turn as much longer.
 */
const WRITE_MS_MAX = 16;
/**
 * After a round of writing to all whose source has news, pause for so many times what the round took: what happens meanwhile goes out together.
 * Without it, a thousand watchers and a hundred changes a second are a hundred thousand writes; with it writing takes a third of the time, as long
 * as a round takes no more than a third of {@link PERIOD_MS}. A lone event of a few watchers pauses nobody: its round takes no time.
 */
const PAUSE_FACTOR = 2;
/**
 * A round and its pause together, unless {@link PAUSE_MS_MIN} comes to more: how long an event waits at most. A long round has given its share to
 * other work already, between its turns. Doubling it delays events of very many watchers by as much, and halves the writes.
 */
const PERIOD_MS = 40;
/** After the longest round, too, what has come in is heard before the next one. Doubling it delays events of very many watchers by as much. */
const PAUSE_MS_MIN = 5;
/** Rounds shorter than this, ms, need no pause. */
const ROUND_MS_MIN = 2;

/** The event loop, as far as writers need it. */
export interface Loop {
  nowMs(): number;
  /** Calls `task` in the next turn, after what has come in. */
  soon(task: () => void): void;
  after(delayMs: number, task: () => void): void;
}

const LOOP: Loop = {
  nowMs: () => performance.now(),
  soon: (task) => void setImmediate(task),
  after: (delayMs, task) => void setTimeout(task, delayMs),
};

type Task = () => void;

/** Writers that take turns: must not throw. */
export interface TaskQueue {
  add(task: Task): void;
}

/** Runs tasks from the front for one share of a turn. */
function runSome(tasks: Task[], loop: Loop, shareMs: number): void {
  const endMs = loop.nowMs() + shareMs;
  const count = tasks.length;
  let done = 0;
  do tasks[done++]!();
  while (done < count && loop.nowMs() < endMs);
  tasks.splice(0, done);
}

/** Those that go on with what they have: in rotation, so that a thousand long bodies get equal shares. */
export class Continuations implements TaskQueue {
  readonly #loop: Loop;
  readonly #tasks: Task[] = [];

  constructor(loop: Loop = LOOP) {
    this.#loop = loop;
  }

  add(task: Task): void {
    if (this.#tasks.push(task) === 1) this.#loop.soon(this.#run);
  }

  readonly #run = (): void => {
    runSome(this.#tasks, this.#loop, WRITE_MS);
    if (this.#tasks.length > 0) this.#loop.soon(this.#run);
  };
}

function pauseMsAfter(roundMs: number): number {
  return Math.max(PAUSE_MS_MIN, Math.min(roundMs * PAUSE_FACTOR, PERIOD_MS - roundMs));
}

/** Those whose source has news: served in rounds, so that the events of a round are one write for each. */
export class Rounds implements TaskQueue {
  readonly #loop: Loop;
  /** Woken since the round began: for the next. */
  #next: Task[] = [];
  #round: Task[] = [];
  #beganMs = 0;
  #isPlanned = false;

  constructor(loop: Loop = LOOP) {
    this.#loop = loop;
  }

  add(task: Task): void {
    this.#next.push(task);
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#loop.soon(this.#begin);
  }

  readonly #begin = (): void => {
    [this.#round, this.#next] = [this.#next, this.#round];
    this.#beganMs = this.#loop.nowMs();
    this.#run();
  };

  readonly #run = (): void => {
    const lastedMs = this.#loop.nowMs() - this.#beganMs;
    runSome(this.#round, this.#loop, Math.max(WRITE_MS, Math.min(lastedMs, WRITE_MS_MAX)));
    // HTTP/2 encrypts and sends after the tasks, at the end of the turn: that counts, too.
    this.#loop.soon(this.#round.length > 0 ? this.#run : this.#pause);
  };

  readonly #pause = (): void => {
    const tookMs = this.#loop.nowMs() - this.#beganMs;
    if (tookMs < ROUND_MS_MIN) return this.#afterPause();
    this.#loop.after(pauseMsAfter(tookMs), this.#afterPause);
  };

  readonly #afterPause = (): void => {
    this.#isPlanned = this.#next.length > 0;
    if (this.#isPlanned) this.#begin();
  };
}
