import { baselineChecks } from "./baseline-checks.ts";
import type { CheckedPod, Violation } from "./check.ts";
import { formatLevel, type LevelVersion } from "./policy.ts";
import { restrictedChecks } from "./restricted-checks.ts";

/** All that a Pod asks for beyond `level`; baseline checks first, each list by ID. */
export function violations(pod: CheckedPod, { level, minor }: LevelVersion): readonly Violation[] {
  if (level === "privileged") return [];
  const restricted =
    level === "restricted" ? restrictedChecks.filter(({ since }) => since <= minor) : [];
  const replaced = new Set(restricted.map(({ replaces }) => replaces));
  const baseline = baselineChecks.filter(({ id, since }) => since <= minor && !replaced.has(id));
  return [...baseline, ...restricted].flatMap((check) => check.run(pod, minor) ?? []);
}

/** `violates PodSecurity "baseline:latest": privileged (container "c" must not …)`; `undefined`: it does not. */
export function violationText(
  verb: "violates" | "would violate",
  pod: CheckedPod,
  level: LevelVersion,
): string | undefined {
  const found = violations(pod, level);
  if (found.length === 0) return undefined;
  const list = found.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
  return `${verb} PodSecurity ${JSON.stringify(formatLevel(level))}: ${list}`;
}
