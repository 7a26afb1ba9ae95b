import { conform } from "../../api/machinery/conform.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import { badRequest, notFound } from "../../api/machinery/status-errors.ts";
import { isSelectedBy } from "../../api/policy/budget.ts";
import type { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import { formatTime } from "../../base/clock.ts";
import type { V1Eviction, V1Pod, V1PodCondition } from "../../gen/types.ts";
import type { ApiCall } from "../api-call.ts";
import { objectResponse } from "../api-response.ts";
import { parseBody } from "../bodies/decode.ts";
import { deletionOfObject } from "../endpoints/deletion-options.ts";
import type { ServerParts } from "../parts.ts";
import { CONFLICT_TRIES_MAX, tooManyConflicts } from "../registry/commit.ts";
import { localKey, namespaceRange } from "../registry/keys.ts";
import { validateAdmission } from "../verbs/admit.ts";
import { deleteObject } from "../verbs/delete.ts";
import { checkPreconditions, type DeletionOptions } from "../verbs/deletion.ts";
import { updateObject } from "../verbs/update.ts";
import { judgeEviction, spend, unsettled } from "./eviction-verdict.ts";
import { SUCCESS } from "./pod-binding.ts";
import type { SubresourceHandler } from "./subresource.ts";

const KIND = { group: "policy", version: "v1", kind: "Eviction" } as const;

/**
 * `pods/eviction`: deletes a Pod, as a request that may be refused for the sake of others.
 *
 * Flow: judge the Pod by its budget → spend a disruption of it, written down with the Pod's name → say on the Pod why it ends →
 * delete it.
 * Guarantees: no two evictions spend the same disruption. A disruption that was spent for nothing comes back
 * when the budget's controller sees that the Pod lives on.
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go
 */
export const podEviction: SubresourceHandler = {
  group: "",
  plural: "pods",
  subresource: "eviction",
  methods: ["POST"],
  kind: KIND,
  async handle(parts, call, request) {
    const bytes = await request.body();
    const contentType = request.headers["content-type"];
    const expected = { apiVersion: `${KIND.group}/${KIND.version}`, kind: KIND.kind };
    const body = parseBody(parts.schemas, bytes, contentType, expected) as KubeObject;
    return objectResponse(201, await postEviction(parts, call, body), call.warnings);
  },
  post: postEviction,
};

/** @throws {StatusError} TooManyRequests: its budget does not allow it now; NotFound, Conflict, BadRequest */
async function postEviction(
  parts: ServerParts,
  call: ApiCall,
  body: KubeObject,
): Promise<KubeObject> {
  const eviction = fitted(parts, body);
  const { name } = call.info;
  if ((eviction.metadata?.name || name) !== name)
    throw badRequest("name in URL does not match name in Eviction object");
  const deletion = deletionOfObject(eviction.deleteOptions ?? {});
  const isDryRun = deletion.isDryRun || call.isDryRun;
  validateAdmission(parts, call, "CREATE", eviction as KubeObject, undefined);
  await evict(parts, call.withFlags({ ...call.flags, isDryRun }), deletion.options);
  return SUCCESS as unknown as KubeObject;
}

/** The same in both versions, which both are taken. */
function fitted(parts: ServerParts, body: KubeObject): V1Eviction {
  const { apiVersion = "policy/v1", kind = KIND.kind } = body ?? {};
  const isKnown = apiVersion === "policy/v1" || apiVersion === "policy/v1beta1";
  if (!isKnown || kind !== KIND.kind)
    throw badRequest(`${apiVersion}, Kind=${kind} cannot be handled as a ${KIND.kind}`);
  const schema = parts.schemas.root(KIND.group, apiVersion.slice("policy/".length), KIND.kind)!;
  const result = conform(parts.schemas, schema, body);
  if (!result.isOk) throw badRequest(result.message);
  return result.value as V1Eviction;
}

async function evict(parts: ServerParts, call: ApiCall, options: DeletionOptions): Promise<void> {
  const { name } = call.info;
  const key = localKey(call.info.namespace, name);
  for (let attempt = 0; attempt < CONFLICT_TRIES_MAX; attempt++) {
    const old = call.served.cache.get(key);
    if (!old) throw notFound(call.kind, name);
    const pod = old.object as V1Pod;
    checkPreconditions(call.kind, pod, options);
    const verdict = judgeEviction(pod, budgetsOf(parts, pod));
    if (verdict.kind === "refused") throw verdict.error;
    if (verdict.kind === "spends") await takeOne(parts, call, verdict.budget);
    const isPinned = verdict.kind === "free" ? verdict.isPinned : verdict.kind === "unhealthy";
    const isOurs = isPinned && options.ifResourceVersion === undefined;
    const asJudged = isOurs ? { ...options, ifResourceVersion: String(old.revision) } : options;
    try {
      return await endPod(parts, call, asJudged);
    } catch (error) {
      if (!isOurs || !isStatusError(error, "Conflict")) throw error;
      if (verdict.kind === "unhealthy") throw unsettled(verdict.budget.metadata?.name ?? "");
    }
  }
  throw tooManyConflicts();
}

/** The budgets that select a Pod. */
function budgetsOf(parts: ServerParts, { metadata }: V1Pod): readonly PodDisruptionBudget[] {
  const { labels, namespace = "" } = metadata ?? {};
  const served = parts.resources.find("policy", "v1", "poddisruptionbudgets");
  if (!served) return [];
  return served.cache.versions
    .slice(...namespaceRange(namespace), Infinity)
    .map(({ object }) => object as PodDisruptionBudget)
    .filter((budget) => isSelectedBy(budget, labels));
}

/** Writes the budget less one. Another eviction, or the controller, may be at it: then with what they left. */
async function takeOne(
  parts: ServerParts,
  call: ApiCall,
  { metadata }: PodDisruptionBudget,
): Promise<void> {
  const served = parts.resources.find("policy", "v1", "poddisruptionbudgets")!;
  const info = {
    group: "policy",
    plural: "poddisruptionbudgets",
    subresource: "status",
    name: metadata?.name ?? "",
    verb: "update",
  };
  await updateObject(parts, call.about(served, info), {
    isPatch: true,
    isAdmitted: true,
    tracking: "kept",
    rules: { prepareForUpdate: (object) => object, validateUpdate: () => [] },
    wanted: (old) =>
      spend(old!.object as PodDisruptionBudget, call.info.name, parts.clock.now()) as KubeObject,
  });
}

/** Says on the Pod why it ends, and deletes it. */
async function endPod(parts: ServerParts, call: ApiCall, options: DeletionOptions): Promise<void> {
  const revision = call.isDryRun ? undefined : await sayWhy(parts, call, options);
  const pinned = options.ifResourceVersion === undefined ? undefined : revision;
  await deleteObject(parts, call, pinned ? { ...options, ifResourceVersion: pinned } : options);
}

/**
 * Writes on the Pod that it ends for the sake of something else: whoever counts its end (Jobs do) need not blame it.
 *
 * @returns the revision of that.
 * @throws {StatusError} NotFound; Conflict: it is not the Pod that was meant.
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go addConditionAndDeletePod
 */
async function sayWhy(
  parts: ServerParts,
  call: ApiCall,
  options: DeletionOptions,
): Promise<string | undefined> {
  const { version } = await updateObject(parts, call, {
    isPatch: true,
    isAdmitted: true,
    tracking: "kept",
    rules: { prepareForUpdate: (object) => object, validateUpdate: () => [] },
    wanted: (old) => {
      checkPreconditions(call.kind, old!.object, options);
      return withReason(old!.object as V1Pod, formatTime(parts.clock.now())) as KubeObject;
    },
  });
  return version.object.metadata?.resourceVersion;
}

function withReason(pod: V1Pod, now: string): V1Pod {
  const { conditions = [] } = pod.status ?? {};
  const known = conditions.find(({ type }) => type === "DisruptionTarget");
  const isNew = known?.status !== "True";
  const condition: V1PodCondition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    ...(pod.metadata?.generation === undefined
      ? {}
      : { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: (isNew ? now : known.lastTransitionTime) as never,
  };
  const others = conditions.filter(({ type }) => type !== "DisruptionTarget");
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}
