import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkClaim, claimsOfOthers, writeClaim, type MachineClaim } from "./machine-claims.ts";

const claim = (state: string, apiPort: number, index: number): MachineClaim => ({
  state,
  apiPort,
  ranges: {
    nodeCidr: `10.88.${index}.0/24`,
    podCidr: `10.${244 + index}.0.0/16`,
    serviceCidr: "10.96.0.0/16",
  },
});

describe("claimsOfOthers", () => {
  it("reads what other clusters hold: not one's own, not of what is gone, nothing damaged", () => {
    const folder = mkdtempSync(join(tmpdir(), "skiff-claims-"));
    const sockets = join(folder, "run");
    const state = (name: string): string => join(folder, "home", name);
    try {
      assert.deepEqual(claimsOfOthers(sockets, state("a")), []);
      for (const name of ["a", "b", "damaged"]) mkdirSync(state(name), { recursive: true });
      for (const [index, name] of ["a", "b", "removed", "damaged"].entries())
        writeClaim(join(sockets, name), claim(state(name), 6443 + index, index));
      writeFileSync(join(sockets, "damaged", "claim.json"), "{");
      writeFileSync(join(sockets, "given.json"), "{}");
      mkdirSync(join(sockets, "without"));
      assert.deepEqual(claimsOfOthers(sockets, state("a")), [claim(state("b"), 6444, 1)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("checkClaim", () => {
  const own = claim("/home/a", 6443, 0);
  const refused = (other: MachineClaim, text: RegExp): void =>
    assert.throws(() => checkClaim(own, [other], false), text);

  it("refuses another's port, range of nodes or range of pods, naming it", () => {
    const hint = "the cluster in /home/b: stop that one, or 'skiff delete' this one";
    refused(claim("/home/b", 6443, 1), new RegExp(`port 6443 of this cluster is also .*${hint}`));
    const other = claim("/home/b", 6444, 1);
    for (const [key, range] of [
      ["nodeCidr", "10.88.0.0/24"],
      ["podCidr", "10.244.0.0/16"],
    ] as const)
      refused(
        { ...other, ranges: { ...other.ranges, [key]: range } },
        new RegExp(`range ${range} of this cluster overlaps with ${range} of ${hint}`),
      );
  });

  it("has a new cluster choose another port: there is none yet to delete", () => {
    assert.throws(
      () => checkClaim(own, [claim("/home/b", 6443, 1)], true),
      /port 6443 of this cluster is also that of the cluster in \/home\/b: choose another with --api-port PORT/,
    );
  });

  it("lets two clusters have one range of Services", () => {
    checkClaim(own, [claim("/home/b", 6444, 1)], true);
  });
});
