import { parseTime, type Instant } from "../../../src/base/clock.ts";
import { VirtualClock } from "../../../src/base/virtual-clock.ts";
import type { V1Pod } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";

/** What a clock that nobody has set shows at a moment of the world. */
export function instantOf(atMs: number): Instant {
  return new VirtualClock().now() + atMs;
}

/** The same, at the last of the changes. */
export function nowAfter(changes: readonly Change[]): Instant {
  return instantOf(changes.at(-1)?.atMs ?? 0);
}

/** When the Pod became ready, by its node's clock. */
export function readySince({ status }: V1Pod): Instant {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return parseTime(ready?.lastTransitionTime ?? "");
}

/**
 * Ready since a moment that is to come, by a node whose clock was ahead: with minReadySeconds available when that has come, as
 * upstream has it, and until then whoever waits for it waits.
 */
export function isAhead(pod: V1Pod, now: Instant): boolean {
  return readySince(pod) > now;
}
