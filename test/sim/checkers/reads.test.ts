import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configMap } from "../../support/builders.ts";
import type { ReadCall } from "../world/history.ts";
import { reads } from "./reads.ts";
import { Story } from "./story.ts";

const PATH = "/api/v1/namespaces/default/configmaps/a";

describe("reads checker", () => {
  const story = new Story();
  const versions = [1, 2].map(() => story.put("configmaps", configMap("a")));
  story.remove("configmaps", "default/a");
  const [first, second] = versions as [(typeof versions)[0], (typeof versions)[0]];

  const rows: readonly (readonly [string, Partial<ReadCall>, boolean])[] = [
    ["the newest version", { knownRevision: 2, newestRevision: 2, object: second }, true],
    ["one that came meanwhile", { knownRevision: 1, newestRevision: 2, object: second }, true],
    ["an older one than was known", { knownRevision: 2, newestRevision: 2, object: first }, false],
    ["one from the future", { knownRevision: 1, newestRevision: 1, object: second }, false],
    ["one that has ended", { knownRevision: 3, newestRevision: 3, object: second }, false],
    ["nothing, when it has ended", { knownRevision: 3, newestRevision: 3, status: 404 }, true],
    ["nothing, while it was there", { knownRevision: 1, newestRevision: 2, status: 404 }, false],
    ["nothing, before it was made", { knownRevision: 0, newestRevision: 0, status: 404 }, true],
  ];
  for (const [what, parts, isFine] of rows)
    it(`${isFine ? "is content with" : "tells of"} ${what}`, () => {
      const base = {
        party: "user-1",
        path: PATH,
        knownRevision: 0,
        newestRevision: 0,
        status: 200,
      };
      const problems = reads.check!(story.with({ reads: [{ ...base, ...parts }] }));
      assert.equal(problems.length, isFine ? 0 : 1, problems.join());
    });
});
