import { readFile } from "node:fs/promises";
import type { InterfaceUse } from "../server/stats-reading.ts";

/** What the interfaces of a process' network have carried; none when it has ended. `self`: our own. */
export async function readInterfaces(pid: number | "self"): Promise<readonly InterfaceUse[]> {
  return parseInterfaces(await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => ""));
}

/** Loopback is left out, as cAdvisor does. @spec proc(5) /proc/net/dev; cAdvisor isIgnoredDevice */
export function parseInterfaces(text: string): readonly InterfaceUse[] {
  return text.split("\n").flatMap((line): InterfaceUse[] => {
    const [name = "", counters] = line.split(":").map((part) => part.trim());
    if (counters === undefined || name === "lo") return [];
    const values = counters.split(/\s+/).map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = values;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = values.slice(8);
    return [
      {
        ...{ name, rxBytes, rxPackets, rxErrors, rxDropped },
        ...{ txBytes, txPackets, txErrors, txDropped },
      },
    ];
  });
}
