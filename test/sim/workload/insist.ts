import { isStatusError } from "../../../src/api/machinery/status-error.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";

/** Between two attempts of what failed, in ms. */
const RETRY_MS = 1000;

/** Calls until it is done: an answer of this reason says that it is. */
export async function insist(
  clock: Clock,
  call: () => Promise<unknown>,
  doneReason: "NotFound" | "AlreadyExists" = "NotFound",
): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (isStatusError(error, doneReason)) return;
    }
    await sleep(clock, RETRY_MS);
  }
}
