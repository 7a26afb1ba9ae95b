import { readFileSync } from "node:fs";

/** Part of the file descriptors that is left for what is no connection of a client: store, log, kubelets. */
const KEPT_PART = 0.1;
/** And at least so many. */
const KEPT_MIN = 200;

/** How many connections clients may have, so that this process never runs out of file descriptors. Node asks for all that it may have. */
export function connectionsMax(): number {
  return connectionsWithin(readFileSync("/proc/self/limits", "utf8"));
}

/** {@link connectionsMax} under the limits of a process, as Linux tells them. */
export function connectionsWithin(limits: string): number {
  const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined || soft === "unlimited") return Infinity;
  const files = Number(soft);
  return Math.max(files - Math.max(KEPT_MIN, Math.ceil(files * KEPT_PART)), Math.ceil(files / 2));
}
