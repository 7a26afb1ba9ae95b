import { rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { sleep, type Clock } from "../base/clock.ts";
import { readIfPresent, writeAtomically } from "./files.ts";

/** Pause between two tries, in ms: short beside what holders do (0.2–2 s). */
const RETRY_MS = 25;

/** Tries until a holder without a name is told of as it is: 0.5 s, in which even a slow disk has its note. */
const NAMELESS_TRIES = 20;

/** What one process at a time may work on. */
export interface Lock {
  /** The same for all who must not meet. */
  readonly name: string;
  /** What it guards, in words for users: `this cluster`. */
  readonly what: string;
  /** Where who holds it is noted; absent: nowhere. */
  readonly noteFile?: string;
}

/** Somebody else holds the lock, and still did when waiting ended. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
  /** What the holder said of itself, such as `skiff start (pid 4711)`. */
  readonly holder: string;

  /** `what`: what is locked. */
  constructor(holder: string, what: string, waitedMs: number) {
    super(`${holder} is at work on ${what}; waited ${waitedMs / 1000} s for it`);
    this.holder = holder;
  }
}

/**
 * Holds a lock while `body` runs. It ends with the process that holds it, however that ends.
 *
 * Why an abstract socket: taking its name is one atomic act of the kernel, and no stale file can be left. The note
 * only says who holds it. `onWait` is told once, when somebody else holds it.
 * @throws {LockHeld} after `waitMs`.
 */
export async function withLock<T>(
  clock: Clock,
  { name, what, noteFile }: Lock,
  holder: string,
  waitMs: number,
  body: () => Promise<T>,
  onWait: (holder: string) => void = () => {},
): Promise<T> {
  const until = clock.monotonic() + waitMs;
  const holderNow = (): string => (noteFile && readIfPresent(noteFile)) || "another process";
  let server = await tryBind(name);
  for (let isTold = false, tries = 1; !server; tries++) {
    // Who took the lock just now may not have written its name yet.
    if (!isTold && (tries > NAMELESS_TRIES || (noteFile && readIfPresent(noteFile)))) {
      onWait(holderNow());
      isTold = true;
    }
    if (clock.monotonic() >= until) throw new LockHeld(holderNow(), what, waitMs);
    await sleep(clock, RETRY_MS);
    server = await tryBind(name);
  }
  try {
    if (noteFile) writeAtomically(noteFile, `${holder} (pid ${process.pid})`);
    return await body();
  } finally {
    if (noteFile) rmSync(noteFile, { force: true });
    server.close();
  }
}

function tryBind(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path: `\0skiff-lock:${name}` }, () => resolve(server));
  });
}
