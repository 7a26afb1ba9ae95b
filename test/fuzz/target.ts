import type { Draw } from "./draw.ts";

/**
 * One thing that takes input from outside, and what must hold for every input.
 *
 * An input is bytes, so that one that fails can be kept as a file: `corpus/NAME/…`.
 */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs of one run of `npm test`; with all targets together they take 15 s. */
  readonly runs: number;
  /** Milliseconds of processor time that one input may take; more is a slow path that someone can use. */
  readonly msMax?: number;
  /** An input: mostly nearly right, for that is what gets furthest. */
  make(draw: Draw): Buffer;
  /** @throws what must hold does not: an AssertionError, or any error that the code under test should not throw. */
  check(input: Buffer): void | Promise<void>;
}

/** A target that needs something started. */
export interface StartedTarget extends FuzzTarget {
  close(): Promise<void>;
}

/** An input that is one JSON document of several parts. */
export function parts<T>(input: Buffer): T {
  return JSON.parse(input.toString()) as T;
}

/** The opposite of {@link parts}. */
export function inputOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
