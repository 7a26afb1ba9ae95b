import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";

/**
 * Milliseconds that the other direction may be silent after one has ended. Upstream cuts at once, and with it what was
 * still on its way; doubling it doubles how long a dead client's connection is held.
 */
const HALF_CLOSED_SILENCE_MS = 30_000;

/**
 * Joins two connections: what one sends, the other gets, no faster than it takes it.
 *
 * The end of one direction is passed on and leaves the other open; a connection that breaks takes the other with it.
 * @bounds after one direction ended, the other lives as long as it is not silent for {@link HALF_CLOSED_SILENCE_MS}.
 */
export function splice(one: Duplex, two: Duplex, clock: Clock): void {
  let timer: Timer | undefined;
  let isHalf = false;
  const restart = (): void => {
    timer?.cancel();
    timer = clock.after(HALF_CLOSED_SILENCE_MS, () => {
      one.destroy();
      two.destroy();
    });
  };
  const halfClosed = (): void => {
    if (isHalf) return;
    isHalf = true;
    restart();
    one.on("data", restart);
    two.on("data", restart);
  };
  const join = (from: Duplex, to: Duplex): void => {
    // Without it Node would end our side as soon as the peer ends its own.
    from.allowHalfOpen = true;
    from.on("error", () => to.destroy());
    from.on("end", halfClosed);
    from.on("close", () => {
      if (!from.readableEnded) to.destroy();
      if (to.destroyed) timer?.cancel();
    });
    from.pipe(to);
  };
  join(one, two);
  join(two, one);
  if (one.destroyed || two.destroyed) {
    one.destroy();
    two.destroy();
  }
}
