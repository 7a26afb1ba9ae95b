import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { plan } from "./pvprotection.ts";

const KEPT = "kubernetes.io/pv-protection";

function row(what: string, parts: object, phase: string, expected: string | undefined): void {
  it(`${what}, ${phase} → ${expected ?? "nothing"}`, () => {
    const volume: PersistentVolume = { metadata: { name: "v", ...parts }, status: { phase } };
    const [write] = plan(volume).writes ?? [];
    const written = write?.verb === "update" ? write.object.metadata?.finalizers : undefined;
    assert.equal(written?.join(), expected);
  });
}

const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };

describe("pvProtectionController", () => {
  row("kept", { finalizers: [KEPT] }, "Available", undefined);
  row("from before", {}, "Bound", KEPT);
  row("from before, another keeps it", { finalizers: ["x/y"] }, "Bound", `x/y,${KEPT}`);
  row("going", { ...going, finalizers: [KEPT] }, "Available", "");
  row("going, another keeps it", { ...going, finalizers: ["x/y", KEPT] }, "Released", "x/y");
  row("going, a claim has it", { ...going, finalizers: [KEPT] }, "Bound", undefined);
  row("going, not kept by us", { ...going, finalizers: ["x/y"] }, "Available", undefined);
});
