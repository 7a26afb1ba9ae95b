import type { Fault } from "./fault.ts";

/** Bytes that still fit: a few objects. */
const ROOM_BYTES_MAX = 20_000;

/** The server's disk is full. */
export const fullDisk: Fault = {
  name: "full disk",
  weight: 3,
  lastsMsMax: 60_000,
  begin({ disk }, random) {
    disk.faults.capacityBytes = disk.usedBytes + random.integer(ROOM_BYTES_MAX);
    return () => void (disk.faults.capacityBytes = Infinity);
  },
};
