import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  mandatoryPriorityLevels,
  suggestedPriorityLevels,
} from "../../api/flowcontrol/default-objects.ts";
import { divideSeats } from "./seat-limits.ts";

describe("divideSeats", () => {
  it("divides upstream's 600 seats as upstream does", () => {
    const levels = [...mandatoryPriorityLevels, ...suggestedPriorityLevels];
    const seats = divideSeats(levels, 600);
    const table = levels.map(
      ({ metadata }, at) => `${metadata?.name} ${seats[at]!.nominal} ${seats[at]!.lower}`,
    );
    assert.deepEqual(table, [
      "exempt 0 0",
      "catch-all 13 13",
      "system 74 50",
      "node-high 98 73",
      "leader-election 25 25",
      "workload-high 98 49",
      "workload-low 245 24",
      "global-default 49 24",
    ]);
  });

  it("bounds what a level borrows, and what one request takes", () => {
    const limited = { limitResponse: { type: "Reject" } };
    const [a, b] = divideSeats(
      [
        { spec: { type: "Limited", limited: { ...limited, nominalConcurrencyShares: 1, borrowingLimitPercent: 50 } } }, // prettier-ignore
        { spec: { type: "Limited", limited: { ...limited, nominalConcurrencyShares: 9 } } },
      ],
      100,
    );
    assert.deepEqual(a, { nominal: 10, lower: 10, upper: 15, perRequest: 2 });
    assert.deepEqual(b, { nominal: 90, lower: 90, upper: 100, perRequest: 10 });
  });
});
