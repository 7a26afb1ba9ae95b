import type { V1PriorityLevelConfiguration } from "../../gen/types.ts";

/**
 * Seats of the whole server: requests that run at a time, exempt ones aside. Doubling it lets twice as many writes wait for
 * the disk, and twice as many long lists be under way.
 * @spec kube-apiserver --max-requests-inflight 400 + --max-mutating-requests-inflight 200
 */
export const SERVER_SEATS = 600;

/** Part of its level's seats that one request takes at most. @spec apiserver util/flowcontrol maxSeatsPercent */
const REQUEST_PART_MAX = 0.15;
/** @spec apiserver util/flowcontrol/request/config.go maximumSeats */
const REQUEST_SEATS_MAX = 10;

/** How many seats a level has, lends and may borrow. */
export interface SeatLimits {
  /** Its own. */
  readonly nominal: number;
  /** Of its own, those that it never lends. */
  readonly lower: number;
  /** Its own and all it may borrow: without a limit, the seats of the server. */
  readonly upper: number;
  /** Most that one request takes. */
  readonly perRequest: number;
}

/**
 * Divides the seats of the server among the levels by their shares.
 *
 * @spec k8s@1.36 apiserver util/flowcontrol/apf_controller.go finishQueueSetReconfigsLocked; KEP-1040 (borrowing)
 */
export function divideSeats(
  levels: readonly V1PriorityLevelConfiguration[],
  seats: number,
): readonly SeatLimits[] {
  const parts = levels.map(({ spec }) => spec?.limited ?? spec?.exempt ?? {});
  const sum = parts.reduce((total, part) => total + (part.nominalConcurrencyShares ?? 0), 0);
  return levels.map(({ spec }, at) => {
    const { nominalConcurrencyShares = 0, lendablePercent = 0 } = parts[at]!;
    const nominal = sum === 0 ? 0 : Math.ceil((seats * nominalConcurrencyShares) / sum);
    const borrowable = spec?.limited?.borrowingLimitPercent;
    return {
      nominal,
      lower: nominal - Math.round((nominal * lendablePercent) / 100),
      upper: borrowable === undefined ? seats : nominal + Math.round((nominal * borrowable) / 100),
      perRequest: Math.min(REQUEST_SEATS_MAX, Math.max(1, Math.ceil(nominal * REQUEST_PART_MAX))),
    };
  });
}
