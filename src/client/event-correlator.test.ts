import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventCorrelator } from "./event-correlator.ts";

const event = (message: string, reason = "R") => ({
  subject: "s",
  type: "Normal",
  reason,
  message,
});

/** Feeds an event as the recorder does. */
function feed(correlator: EventCorrelator, message: string, now: number, reason?: string): string {
  const verdict = correlator.correlate(event(message, reason), now);
  if (verdict.kind === "create") correlator.created(verdict.key, `n${now}`);
  return verdict.kind === "count" ? `count ${verdict.count} ${verdict.message}` : verdict.kind;
}

describe("EventCorrelator", () => {
  it("counts repetitions of one event", () => {
    const correlator = new EventCorrelator();
    assert.deepEqual(
      [0, 1, 2].map((now) => feed(correlator, "m", now)),
      ["create", "count 2 m", "count 3 m"],
    );
  });

  it("combines the tenth and further different messages of one reason within ten minutes", () => {
    const correlator = new EventCorrelator();
    const verdicts = Array.from({ length: 11 }, (_, i) => feed(correlator, `m${i}`, i));
    assert.deepEqual(verdicts.slice(0, 10), Array(10).fill("create"));
    assert.equal(verdicts[10], "count 2 (combined from similar events): m10");
    assert.equal(feed(correlator, "other", 700_000), "create", "the window has passed");
  });

  it("drops what is above 25 at once and one each five minutes", () => {
    const correlator = new EventCorrelator();
    const verdicts = Array.from({ length: 30 }, (_, i) => feed(correlator, "m", 0, `R${i}`));
    assert.equal(verdicts.filter((verdict) => verdict === "drop").length, 5);
    assert.equal(feed(correlator, "m", 300_000, "later"), "create");
    assert.equal(feed(correlator, "m", 300_000, "latest"), "drop");
  });
});
