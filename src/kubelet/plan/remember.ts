import type { Instant } from "../../base/clock.ts";
import { BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, nextBackOff } from "./back-off.ts";
import { nothing, type Failure, type Outcome, type PodMemory } from "./observed.ts";
import type { Step } from "./step.ts";

/** How a step ended. */
export type StepResult =
  | { readonly isSuccess: true; readonly value?: string; readonly refreshAt?: Instant }
  | { readonly isSuccess: false; readonly reason: string; readonly message: string };

/** Waits after failures, in ms. Each doubles from the first to the second. */
interface Waits {
  readonly firstMs: number;
  readonly ceilingMs: number;
}

/** @spec k8s@1.36 pkg/util/goroutinemap/exponentialbackoff */
const VOLUME_WAITS: Waits = { firstMs: 500, ceilingMs: 122_000 };
/**
 * Looks for volumes that are not here yet. Upstream looks ten times a second for as long as it takes; claims seldom come late, and that a
 * volume was attached is told. Doubling the ceiling doubles the longest wait for a claim that came late.
 */
const MISSING_WAITS: Waits = { firstMs: 100, ceilingMs: 10_000 };
/** Reason of a failure to make volumes that only means: not yet. */
export const WAITING_FOR_VOLUMES = "WaitingForVolumes";
/** Networks of a node that just started come up within a second or two; upstream waits 10 s at once. */
const SANDBOX_WAITS: Waits = { firstMs: 1000, ceilingMs: 10_000 };
const IMAGE_WAITS: Waits = { firstMs: BACK_OFF_MS_MIN, ceilingMs: BACK_OFF_MS_MAX };
/** Wrong names and missing objects: upstream looks again with each sync. */
const START_WAITS: Waits = { firstMs: 10_000, ceilingMs: 10_000 };

/** The memory once `step` is under way: what it will find out is open again. */
export function rememberBegin(memory: PodMemory, step: Step, now: Instant): PodMemory {
  if (step.kind === "prepareVolumes") return withoutRefresh(memory);
  if (step.kind === "killContainer" && step.isRestart)
    return { ...memory, restarting: new Set(memory.restarting).add(step.id) };
  if (step.kind !== "startContainer") return memory;
  const { container, failedAt } = step;
  const starts = without(memory.starts, container);
  if (failedAt === undefined) return { ...memory, starts };
  const record = nextBackOff(memory.crashes.get(container), failedAt, now);
  return { ...memory, starts, crashes: new Map(memory.crashes).set(container, record) };
}

/** The memory after `step`. */
export function remember(
  memory: PodMemory,
  step: Step,
  result: StepResult,
  now: Instant,
): PodMemory {
  switch (step.kind) {
    case "prepareVolumes":
      return rememberVolumes(memory, result, now);
    case "createSandbox":
      return { ...memory, sandbox: outcome(memory.sandbox, result, SANDBOX_WAITS, now, true) };
    case "ensureImage": {
      const old = memory.images.get(step.container) ?? nothing;
      const image = outcome(old, result, IMAGE_WAITS, now);
      return { ...memory, images: new Map(memory.images).set(step.container, image) };
    }
    case "startContainer": {
      const images = without(memory.images, step.container);
      if (result.isSuccess) return { ...memory, images };
      const failed = failure(undefined, result, START_WAITS, now);
      return { ...memory, images, starts: new Map(memory.starts).set(step.container, failed) };
    }
    case "resize":
      return rememberResize(memory, step.generation, result);
    case "removeContainer":
      return forgetContainer(memory, step.id);
    case "tearDown":
      return { ...memory, isTornDown: result.isSuccess };
    case "finish":
      return { ...memory, isDeleteSent: result.isSuccess };
    default:
      return memory;
  }
}

/** A grant that came meanwhile is still to be carried out. */
function rememberResize(
  memory: PodMemory,
  generation: number | undefined,
  result: StepResult,
): PodMemory {
  const { granted, error: _, ...rest } = memory.resize ?? {};
  const isOpen = !result.isSuccess || granted !== generation;
  const resize = {
    ...rest,
    ...(isOpen && granted !== undefined ? { granted } : {}),
    ...(result.isSuccess ? {} : { error: result.message }),
  };
  const { resize: __, ...others } = memory;
  return Object.keys(resize).length === 0 ? others : { ...others, resize };
}

function forgetContainer(memory: PodMemory, id: string): PodMemory {
  const actuated = without(memory.actuated, id);
  if (actuated === memory.actuated && !memory.restarting.has(id)) return memory;
  const restarting = new Set([...memory.restarting].filter((other) => other !== id));
  return { ...memory, actuated, restarting };
}

/** Volumes that were once made stay usable when bringing them up to date fails. A refresh that was asked for meanwhile stays. */
function rememberVolumes(memory: PodMemory, result: StepResult, now: Instant): PodMemory {
  const isMissing = !result.isSuccess && result.reason === WAITING_FOR_VOLUMES;
  const next = outcome(memory.volumes, result, isMissing ? MISSING_WAITS : VOLUME_WAITS, now);
  const isStale = next.kind === "failed" && memory.volumes.kind === "done";
  const nextAt = isStale
    ? now + VOLUME_WAITS.ceilingMs
    : result.isSuccess
      ? result.refreshAt
      : undefined;
  const refreshAt = Math.min(memory.refreshAt ?? Infinity, nextAt ?? Infinity);
  const volumes = isStale ? memory.volumes : next;
  return { ...withoutRefresh(memory), volumes, ...(Number.isFinite(refreshAt) && { refreshAt }) };
}

function withoutRefresh(memory: PodMemory): PodMemory {
  const { refreshAt: _, ...rest } = memory;
  return rest;
}

/** `isOnce`: success leaves nothing to remember, for the runtime shows it. */
function outcome(
  old: Outcome,
  result: StepResult,
  waits: Waits,
  now: Instant,
  isOnce = false,
): Outcome {
  if (result.isSuccess) return isOnce ? nothing : { kind: "done", value: result.value ?? "" };
  const before = old.kind === "failed" ? old : undefined;
  return { kind: "failed", ...failure(before, result, waits, now) };
}

function failure(
  before: Failure | undefined,
  { reason, message }: Extract<StepResult, { isSuccess: false }>,
  { firstMs, ceilingMs }: Waits,
  now: Instant,
): Failure {
  const waitMs = before ? Math.min(2 * (before.retryAt - before.at), ceilingMs) : firstMs;
  return { reason, message, at: now, retryAt: now + waitMs };
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
