import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configMap } from "../../support/builders.ts";
import type { WatchRecord, WatchRun } from "../world/history.ts";
import { Story } from "./story.ts";
import { watches } from "./watches.ts";

interface Watched {
  readonly story: Story;
  readonly run: WatchRun;
  readonly events: readonly WatchRecord[];
}

/** Three versions of `a` and its end, and what a faithful watcher of it was told after listing at revision 1. */
function world(): Watched {
  const story = new Story();
  const versions = ["1", "2", "3"].map((v) =>
    story.put("configmaps", configMap("a", { data: { v } })),
  );
  story.remove("configmaps", "default/a");
  const [, second, third] = versions as [object, WatchRecord["object"], WatchRecord["object"]];
  const events: WatchRecord[] = [
    { type: "MODIFIED", revision: 2, object: second! },
    { type: "BOOKMARK", revision: 2 },
    { type: "MODIFIED", revision: 3, object: third! },
    { type: "DELETED", revision: 4, object: third! },
  ];
  const run = {
    watcher: "w",
    resource: "configmaps",
    selects: () => true,
    listRevision: 1,
    items: [versions[0]!],
    events,
    isOver: false,
  };
  return { story, run, events };
}

function problems(change: (made: Watched) => Partial<WatchRun>): string {
  const made = world();
  const run = { ...made.run, ...change(made) };
  const history = made.story.with({ watches: [run] });
  return [...watches.check!(history), ...watches.checkAtRest!(history)].join("; ");
}

describe("watches checker", () => {
  it("is content with a faithful watcher", () =>
    assert.equal(
      problems(() => ({})),
      "",
    ));

  it("tells of a gap", () => {
    assert.match(
      problems(({ events }) => ({ events: events.slice(2) })),
      /due was MODIFIED .* 2 /,
    );
  });

  it("tells of a repetition", () => {
    assert.match(
      problems(({ events }) => ({ events: [events[0]!, events[0]!, ...events.slice(1)] })),
      /MODIFIED 2 came after 2/,
    );
  });

  it("tells of a wrong order", () => {
    assert.match(
      problems(({ events }) => ({ events: [events[2]!, events[0]!, events[3]!] })),
      /MODIFIED 2 came after 3/,
    );
  });

  it("tells of a bookmark that runs ahead of an event", () => {
    const ahead: WatchRecord = { type: "BOOKMARK", revision: 3 };
    assert.match(
      problems(({ events }) => ({ events: [events[0]!, ahead] })),
      /at 3 it was never told MODIFIED/,
    );
  });

  it("tells of a wrong type, and of another content", () => {
    assert.match(
      problems(({ events }) => ({ events: [{ ...events[0]!, type: "ADDED" }] })),
      /event 0 is ADDED/,
    );
    const stale = (events: readonly WatchRecord[]): WatchRecord => ({
      ...events[2]!,
      object: events[0]!.object!,
    });
    assert.match(
      problems(({ events }) => ({ events: [events[0]!, stale(events)] })),
      /event 1 is MODIFIED/,
    );
  });

  it("tells of a list that was not the state at its revision", () => {
    assert.match(
      problems(() => ({ items: [] })),
      /the list has nothing, due was default\/a@1/,
    );
  });

  it("tells of an object that left the part unnoticed", () => {
    const selects: WatchRun["selects"] = (object) =>
      (object as { data?: { v?: string } }).data?.v === "1";
    assert.match(
      problems(() => ({ selects, events: [] })),
      /never told DELETED default\/a 2/,
    );
  });

  it("tells at rest of a watcher that was told nothing more", () => {
    assert.match(
      problems(({ events }) => ({ events: events.slice(0, 3) })),
      /never told DELETED default\/a 4/,
    );
    assert.equal(
      problems(({ events }) => ({ events: events.slice(0, 3), isOver: true })),
      "",
    );
  });
});
