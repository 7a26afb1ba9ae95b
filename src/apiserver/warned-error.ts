/** A refusal, and what there was to warn of before it. Normal; the pipeline answers with both. */
export class WarnedError extends Error {
  override readonly name = "WarnedError";
  readonly warnings: readonly string[];

  constructor(cause: unknown, warnings: readonly string[]) {
    super("refused with warnings", { cause });
    this.warnings = warnings;
  }
}
