import type { Kind } from "../api/machinery/kind.ts";
import { formatKey, keyOf, type KubeObject } from "../api/machinery/object.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import type { Client } from "../client/client.ts";
import type { Plan, PlannedWrite, WriteFailure } from "./controller.ts";
import { equalStored } from "../api/machinery/equality.ts";

/**
 * Writes of one kind in flight at once: enough for one commit to the disk. In process they begin one after the other, 0.1 ms
 * each, so doubling doubles how long one key can hold the event loop.
 */
const BATCH_WRITES_MAX = 64;

/** What became of a plan. */
export interface Applied {
  /** `lost`: somebody else changed what the plan was made from; it is to be made again. */
  readonly outcome: "done" | "lost" | "failed";
  /** How far the cache of each written kind must get before the key is planned again. */
  readonly revisions: ReadonlyMap<Kind, number>;
  /** The result of each write that succeeded, by its index in `plan.writes`. */
  readonly results: ReadonlyMap<number, KubeObject>;
  /** Messages of those that failed. */
  readonly failures: ReadonlyMap<number, string>;
}

export interface Primary {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly observesGeneration: boolean;
}

/**
 * Carries out one plan.
 *
 * 1. Writes in order; neighbouring creates of one kind in batches of 1, 2, 4 …, so that a template that is refused is
 *    refused once and not 500 times; neighbouring deletes of one kind together, and patches of different objects.
 * 2. A lost race ends it. Another failure ends the writes, and the status is still written; so it is when a name is taken,
 *    which a fresh cache may not change.
 * 3. The status, when it differs from what the primary object has.
 * @spec k8s@1.36 pkg/controller/replicaset slowStartBatch
 */
export async function applyPlan(
  client: Client,
  plan: Plan,
  primary: Primary | undefined,
): Promise<Applied> {
  const run = new Run(client, plan.writes ?? [], primary);
  await run.writes();
  if (primary && (!run.isLost || run.isTaken)) await run.status(plan);
  return run.applied();
}

/** The state of one plan's execution. */
class Run {
  readonly #client: Client;
  readonly #writes: readonly PlannedWrite[];
  readonly #primary: Primary | undefined;
  readonly #revisions = new Map<Kind, number>();
  readonly #results = new Map<number, KubeObject>();
  readonly #failures = new Map<number, string>();
  #current: KubeObject | undefined;
  #isEnded = false;
  #isFailed = false;
  isLost = false;
  /** It was lost because something of that name is there: not ours, or not yet in the cache. */
  isTaken = false;

  constructor(client: Client, writes: readonly PlannedWrite[], primary: Primary | undefined) {
    this.#client = client;
    this.#writes = writes;
    this.#primary = primary;
    this.#current = primary?.object;
  }

  applied(): Applied {
    return {
      outcome: this.isLost ? "lost" : this.#isFailed ? "failed" : "done",
      revisions: this.#revisions,
      results: this.#results,
      failures: this.#failures,
    };
  }

  async writes(): Promise<void> {
    let size = 1;
    for (let from = 0; from < this.#writes.length && !this.#isEnded;) {
      const to = this.#groupEnd(from);
      const isCreate = this.#writes[from]!.verb === "create";
      const count = Math.min(to - from, isCreate ? size : BATCH_WRITES_MAX);
      await Promise.all(Array.from({ length: count }, (_, i) => this.#write(from + i)));
      size = from + count === to ? 1 : Math.min(size * 2, BATCH_WRITES_MAX);
      from += count;
    }
  }

  /** Where the group that begins at `from` ends: neighbours of the same verb and kind, if not updates. */
  #groupEnd(from: number): number {
    const { verb, kind } = this.#writes[from]!;
    if (verb === "update") return from + 1;
    const patched = new Set<string>();
    let end = from;
    for (; end < this.#writes.length; end++) {
      const write = this.#writes[end]!;
      if (write.verb !== verb || write.kind !== kind) break;
      // A second patch of one object may build on the first.
      if (write.verb === "patch" && patched.size === patched.add(formatKey(write.key)).size) break;
    }
    return end;
  }

  async #write(index: number): Promise<void> {
    const write = this.#writes[index]!;
    try {
      const result = await send(this.#client, write);
      if (!result) return;
      this.#results.set(index, result);
      this.#note(write.kind, result);
      if (this.#isPrimary(write, result)) this.#current = result;
    } catch (error) {
      this.#fail(index, write, error);
    }
  }

  #fail(index: number, write: PlannedWrite, error: unknown): void {
    if (write.verb === "create" && isNamespaceTerminating(error)) {
      // Every further create would be refused too, and deletion of the namespace ends this object as well.
      this.#isEnded = true;
      return;
    }
    this.#isEnded = true;
    if (isLostRace(error)) this.isLost = true;
    else this.#isFailed = true;
    if (isStatusError(error, "AlreadyExists")) this.isTaken = true;
    this.#failures.set(index, error instanceof Error ? error.message : String(error));
  }

  #isPrimary(write: PlannedWrite, result: KubeObject): boolean {
    const uid = this.#primary?.object.metadata?.uid;
    return write.verb !== "delete" && uid !== undefined && result.metadata?.uid === uid;
  }

  #note(kind: Kind, object: KubeObject): void {
    const revision = Number(object.metadata?.resourceVersion);
    if (revision > (this.#revisions.get(kind) ?? 0)) this.#revisions.set(kind, revision);
  }

  async status(plan: Plan): Promise<void> {
    const { kind, object, observesGeneration } = this.#primary!;
    const wanted = this.#wantedStatus(plan);
    if (!wanted) return;
    const generation = object.metadata?.generation;
    const status =
      observesGeneration && generation !== undefined
        ? { ...wanted, observedGeneration: generation }
        : wanted;
    if (equalStored(status, (object as { status?: object }).status)) return;
    try {
      const body = { ...this.#current, status } as KubeObject;
      const updated = await this.#client.update(kind, body, { subresource: "status" });
      this.#note(kind, updated);
    } catch (error) {
      if (isLostRace(error)) this.isLost = true;
      else {
        this.#isFailed = true;
        this.#failures.set(-1, `status: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  #wantedStatus({ status, statusOnFailure }: Plan): object | undefined {
    const failure = this.#firstFailure();
    return failure && statusOnFailure && !this.isTaken ? statusOnFailure(failure) : status;
  }

  #firstFailure(): WriteFailure | undefined {
    const index = Math.min(...this.#failures.keys());
    const write = this.#writes[index];
    return write && { write, message: this.#failures.get(index)! };
  }
}

/** One call. `undefined`: what was wanted is already so. */
async function send(client: Client, write: PlannedWrite): Promise<KubeObject | undefined> {
  switch (write.verb) {
    case "create":
      return client
        .create(write.kind, write.object)
        .catch((error: unknown) => voidIf(error, "AlreadyExists", write.mayExist === true));
    case "update":
      return client.update(write.kind, write.object, {
        ...(write.subresource && { subresource: write.subresource }),
      });
    case "patch": {
      const { kind, key, patch, type = "merge", subresource, ifUid } = write;
      const body = ifUid ? withUid(patch, ifUid) : patch;
      return client.patch(kind, key, { type, body }, { ...(subresource && { subresource }) });
    }
    case "delete": {
      const { kind, key, ifUid, ifResourceVersion, propagation, graceSeconds } = write;
      return client
        .delete(kind, key, {
          ifUid,
          ...(ifResourceVersion !== undefined && { ifResourceVersion }),
          ...(propagation && { propagation }),
          ...(graceSeconds !== undefined && { graceSeconds }),
        })
        .catch((error: unknown) => voidIf(error, "NotFound", true));
    }
  }
}

/** A patch that names a uid is refused as invalid when the object has another. */
function withUid(patch: object, uid: string): object {
  const { metadata } = patch as { metadata?: object };
  return { ...patch, metadata: { ...metadata, uid } };
}

function voidIf(
  error: unknown,
  reason: "AlreadyExists" | "NotFound",
  isWanted: boolean,
): undefined {
  if (isWanted && isStatusError(error, reason)) return undefined;
  throw error;
}

/** What the plan was made from is no longer so. Normal: the caches catch up and the plan is made again. */
function isLostRace(error: unknown): boolean {
  return (
    isStatusError(error, "Conflict") ||
    isStatusError(error, "AlreadyExists") ||
    isStatusError(error, "NotFound")
  );
}

/** @spec k8s@1.36 core/v1 NamespaceTerminatingCause */
function isNamespaceTerminating(error: unknown): boolean {
  const causes = isStatusError(error, "Forbidden") ? error.status.details?.causes : undefined;
  return causes?.some((cause) => cause.reason === "NamespaceTerminating") ?? false;
}

/** `create Pod default/a`: how logs name a write. */
export function describeWrite(write: PlannedWrite): string {
  const key = "key" in write ? write.key : keyOf(write.object);
  return `${write.verb} ${write.kind.kind} ${formatKey(key)}`;
}
