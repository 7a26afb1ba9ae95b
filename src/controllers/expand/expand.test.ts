import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { plan } from "./expand.ts";

/** What is done for a claim that asks for and holds so much, of a volume of a driver that holds so much. */
function row(asks: string, holds: string, driver: string, volume: string, expected: string): void {
  it(`${asks} of ${holds}, ${driver} ${volume} → ${expected || "nothing"}`, () => {
    const { writes, status, events } = plan({
      claim: {
        metadata: { name: "c", namespace: "d" },
        spec: { resources: { requests: { storage: asks } } },
        status: { phase: "Bound", capacity: { storage: holds } },
      },
      volume: {
        metadata: { name: "v" },
        spec: { capacity: { storage: volume }, csi: { driver, volumeHandle: "h" } },
      },
    });
    const [write] = writes ?? [];
    const size = (write as { object: PersistentVolume } | undefined)?.object.spec?.capacity;
    const grown = (status as { capacity?: { storage: string } } | undefined)?.capacity?.storage;
    const said = events?.map(({ reason }) => reason) ?? [];
    const parts = [size && `volume ${size["storage"]}`, grown && `claim ${grown}`, ...said];
    assert.equal(parts.filter(Boolean).join(", "), expected);
  });
}

const OURS = "volumes.skiff.dev";

describe("expandController", () => {
  row("1Gi", "1Gi", OURS, "1Gi", "");
  row("1Gi", "2Gi", OURS, "2Gi", "");
  row("2Gi", "1Gi", OURS, "1Gi", "volume 2Gi, claim 2Gi, Resizing, VolumeResizeSuccessful");
  row("2Gi", "1Gi", OURS, "2Gi", "claim 2Gi, Resizing, VolumeResizeSuccessful");
  row("2Gi", "1Gi", "x.example", "1Gi", "ExternalExpanding");
});
