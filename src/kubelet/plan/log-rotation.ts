/** How large logs may grow. @spec k8s@1.36 kubelet config containerLogMaxSize, containerLogMaxFiles */
export interface LogLimits {
  readonly bytesMax: number;
  /** Of one container, the one that is being written among them; at least 2. */
  readonly filesMax: number;
}

export const LOG_LIMITS_DEFAULT: LogLimits = { bytesMax: 10 * 1024 * 1024, filesMax: 5 };

export const COMPRESSED = ".gz";
export const UNFINISHED = ".tmp";

/** What to do with one container's log: names are those of older files beside it, in its folder. */
export interface RotationPlan {
  readonly remove: readonly string[];
  readonly compress: readonly string[];
}

/**
 * What becomes of a log and its predecessors, named `0.log.20260131-120000[.gz]`; `undefined`: it is small enough.
 *
 * The newest predecessor stays as it is until the next rotation, so that log agents can finish reading it.
 * @spec k8s@1.36 pkg/kubelet/logs/container_log_manager.go
 */
export function planRotation(
  bytes: number,
  names: readonly string[],
  { bytesMax, filesMax }: LogLimits,
): RotationPlan | undefined {
  if (bytes < bytesMax) return undefined;
  const all = new Set(names);
  const isLeft = (name: string): boolean =>
    name.endsWith(UNFINISHED) || (!name.endsWith(COMPRESSED) && all.has(name + COMPRESSED));
  const older = names.filter((name) => !isLeft(name)).sort();
  // Beside these there will be the new log and the one that is rotated now.
  const kept = older.slice(Math.max(0, older.length - Math.max(0, filesMax - 2)));
  return {
    remove: names.filter((name) => !kept.includes(name)),
    compress: kept.filter((name) => !name.endsWith(COMPRESSED)),
  };
}

/** `20260131-120000`: sorts as time does. */
export function rotationSuffix(now: number): string {
  const text = new Date(now).toISOString();
  return `${text.slice(0, 10)}-${text.slice(11, 19)}`
    .replace(/[:-]/g, "")
    .replace(/^(.{8})/, "$1-");
}
