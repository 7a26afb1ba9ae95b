import { badRequest } from "../../api/machinery/status-errors.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { formatTime } from "../../base/clock.ts";
import type { V1Eviction, V1Pod, V1PodCondition } from "../../gen/types.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { checkPreconditions, type DeletionOptions } from "../verbs/deletion.ts";
import { updateObject } from "../verbs/update.ts";
import { objectResponse } from "../api-response.ts";
import { parseBody } from "../bodies/decode.ts";
import { deleteObject } from "../verbs/delete.ts";
import { deletionOfObject } from "../endpoints/deletion-options.ts";
import { SUCCESS } from "./pod-binding.ts";
import type { SubresourceHandler } from "./subresource.ts";

/**
 * `pods/eviction`: deletes a Pod, as a request that may be refused for the sake of others.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go
 */
export const podEviction: SubresourceHandler = {
  group: "",
  plural: "pods",
  subresource: "eviction",
  methods: ["POST"],
  kind: { group: "policy", version: "v1", kind: "Eviction" },
  async handle(parts, call, request) {
    const bytes = await request.body();
    const contentType = request.headers["content-type"];
    const expected = { apiVersion: "policy/v1", kind: "Eviction" };
    const eviction = parseBody(parts.schemas, bytes, contentType, expected) as V1Eviction;
    const { name } = call.info;
    const asked = eviction.metadata?.name ?? name;
    if (asked !== name)
      throw badRequest(`name in URL does not match name in Eviction object: ${asked}`);
    const deletion = deletionOfObject(eviction.deleteOptions ?? {});
    const isDryRun = deletion.isDryRun || call.isDryRun;
    const { options } = deletion;
    const revision = isDryRun ? undefined : await sayWhy(parts, call, options);
    const flagged = call.withFlags({ ...call.flags, isDryRun });
    const pinned = options.ifResourceVersion === undefined ? undefined : revision;
    await deleteObject(
      parts,
      flagged,
      pinned ? { ...options, ifResourceVersion: pinned } : options,
    );
    return objectResponse(201, SUCCESS, call.warnings);
  },
};

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
