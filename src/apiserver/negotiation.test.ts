import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { negotiate, negotiateUntabled } from "./negotiation.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

//      Accept, an answer that tables show, one that none shows
const ROWS: readonly (readonly [string | undefined, string, string])[] = [
  [undefined, "json", "json"],
  ["application/json", "json", "json"],
  ["application/yaml", "yaml", "yaml"],
  [TABLE, "json Table", "none"],
  [`${TABLE},application/json`, "json Table", "json"],
  ["application/json;as=Table;v=v1;g=else,application/yaml", "yaml", "yaml"],
  ["application/json;q=0.1,application/yaml", "yaml", "yaml"],
  ["text/html", "none", "none"],
];

describe("what an Accept header gets", () => {
  for (const [accept, tabled, untabled] of ROWS)
    it(`${accept}: ${tabled}, ${untabled}`, () => {
      const found = [negotiate(accept), negotiateUntabled(accept)].map((chosen) =>
        chosen ? [chosen.mediaType.split("/")[1], chosen.as].filter(Boolean).join(" ") : "none",
      );
      assert.deepEqual(found, [tabled, untabled]);
    });
});
