/** A step did not succeed. `reason` is what the status shows as why a container waits. Normal; the plan tries again. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Makes one. */
export function fail(reason: string, message: string): StepFailure {
  return new StepFailure(reason, message);
}
