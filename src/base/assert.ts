/** A state that only a mistake in Skiff itself can cause. Crashes the component; never caught to go on. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Crashes on a programmer's error. For input and for operating errors use `StatusError` or a module's own. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The end of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected value: ${JSON.stringify(value)}`);
}
