import { remembered } from "../../../base/recent.ts";
import { type FieldError, invalid } from "../../../api/machinery/field-error.ts";

export const LEVELS = ["privileged", "baseline", "restricted"] as const;

export type Level = (typeof LEVELS)[number];

/** A level as some release defined it. `minor`: of `v1.MINOR`; Infinity: latest. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number;
}

/** What a namespace asks for. Audit is read for its errors alone: there is no audit log to write to. */
export interface NamespacePolicy {
  readonly enforce: LevelVersion;
  readonly warn: LevelVersion;
  readonly errors: readonly FieldError[];
}

export const PREFIX = "pod-security.kubernetes.io/";

const PRIVILEGED: LevelVersion = { level: "privileged", minor: Infinity };

type Labels = Readonly<Record<string, string>>;

/** Namespaces whose policy is remembered by their labels. Doubling costs some 30 kB. */
const POLICIES_MAX = 128;

const NO_LABELS: Labels = {};

/** A level that is no level enforces the strictest, and warns of nothing. @spec k8s@1.36 pod-security-admission/api helpers.go */
export function readPolicy(labels: Labels = NO_LABELS): NamespacePolicy {
  return policyOf(labels);
}

const policyOf = remembered(POLICIES_MAX, (labels: Labels): NamespacePolicy => {
  const enforce = readMode(labels, "enforce", "restricted");
  const warn = readMode(labels, "warn", "privileged");
  const isWarnSet = labels[`${PREFIX}warn`] !== undefined;
  return {
    enforce,
    // Without a level of its own, `warn` tells the makers of workloads what their Pods would meet.
    warn: isWarnSet ? warn : enforce,
    errors: ["enforce", "audit", "warn"].flatMap((mode) => labelErrors(labels, mode)),
  };
});

/** `baseline:v1.30`, `restricted:latest` */
export function formatLevel({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? "latest" : `v1.${minor}`}`;
}

function readMode(labels: Labels, mode: string, onError: Level): LevelVersion {
  const level = labels[`${PREFIX}${mode}`];
  if (level === undefined) return PRIVILEGED;
  const minor = readVersion(labels[`${PREFIX}${mode}-version`]) ?? Infinity;
  return { level: isLevel(level) ? level : onError, minor };
}

function labelErrors(labels: Labels, mode: string): readonly FieldError[] {
  const level = labels[`${PREFIX}${mode}`];
  const version = labels[`${PREFIX}${mode}-version`];
  const field = (name: string): string => `metadata.labels[${PREFIX}${name}]`;
  return [
    ...(level !== undefined && !isLevel(level)
      ? [invalid(field(mode), level, `must be one of ${LEVELS.join(", ")}`)]
      : []),
    ...(version !== undefined && readVersion(version) === undefined
      ? [invalid(field(`${mode}-version`), version, `must be "latest" or "v1.x"`)]
      : []),
  ];
}

function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}

function readVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === "latest") return Infinity;
  const [, minor] = /^v1\.(0|[1-9][0-9]*)$/.exec(text) ?? [];
  return minor === undefined ? undefined : Number(minor);
}
