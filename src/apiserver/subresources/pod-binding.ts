import { notSupported, required, type FieldError } from "../../api/machinery/field-error.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { validateObjectMetaUpdate } from "../../api/machinery/object-meta-validation.ts";
import { unknownPath } from "../../api/machinery/routing-errors.ts";
import { conflict, invalid, notFound } from "../../api/machinery/status-errors.ts";
import { formatTime } from "../../base/clock.ts";
import type { ReviewHandler } from "../authz/reviews.ts";
import type { V1Binding, V1Pod, V1PodCondition } from "../../gen/types.ts";
import type { ApiCall } from "../api-call.ts";
import { objectResponse } from "../api-response.ts";
import { parseBody } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import {
  commitObject,
  CONFLICT_TRIES_MAX,
  encodedForm,
  tooManyConflicts,
} from "../registry/commit.ts";
import { localKey } from "../registry/keys.ts";
import { validateAdmission } from "../verbs/admit.ts";
import type { SubresourceHandler } from "./subresource.ts";

/**
 * `pods/binding`: gives a Pod its node, once.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/storage/storage.go BindingREST, assignPod, setPodHostAndAnnotations
 */
export const podBinding: SubresourceHandler = {
  group: "",
  plural: "pods",
  subresource: "binding",
  methods: ["POST"],
  kind: { group: "", version: "v1", kind: "Binding" },
  async handle(parts, call, request) {
    const bytes = await request.body();
    const contentType = request.headers["content-type"];
    const expected = { apiVersion: "v1", kind: "Binding" };
    const binding = parseBody(parts.schemas, bytes, contentType, expected) as KubeObject;
    return objectResponse(201, await postBinding(parts, call, binding), call.warnings);
  },
  post: postBinding,
};

async function postBinding(
  parts: ServerParts,
  call: ApiCall,
  body: KubeObject,
): Promise<KubeObject> {
  const binding = body as V1Binding;
  const { name } = call.info;
  const errors = bindingErrors(binding);
  if (errors.length > 0) throw invalid({ group: "", kind: "Binding", name, errors });
  await bindPod(parts, call, binding);
  return SUCCESS as unknown as KubeObject;
}

/**
 * `bindings`: the same under the path of upstream's first release, which names the Pod in the body.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/storage/storage.go LegacyBindingREST
 */
export function bindings(parts: ServerParts): ReviewHandler {
  return {
    group: "",
    plural: "bindings",
    async review(call, object) {
      const binding = object as V1Binding;
      const name = binding.metadata?.name ?? "";
      const errors = [
        ...(name === "" ? [required("metadata.name")] : []),
        ...bindingErrors(binding),
      ];
      if (errors.length > 0) throw invalid({ group: "", kind: "Binding", name, errors });
      const pods = parts.resources.find("", "v1", "pods");
      if (!pods) throw unknownPath();
      const info = { plural: "pods", subresource: "binding", name };
      await bindPod(parts, call.about(pods, info), binding);
      return SUCCESS as unknown as KubeObject;
    },
  };
}

/** What creations without an object of their own answer. */
export const SUCCESS = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  code: 201,
};

/**
 * Reads the Pod, checks that it may be bound, and commits it with its node, again if it changed meanwhile.
 *
 * Not an update: the strategy has no say in it, and admission judges the Binding.
 */
async function bindPod(parts: ServerParts, call: ApiCall, binding: V1Binding): Promise<void> {
  const { served, info } = call;
  validateAdmission(parts, call, "CREATE", binding as KubeObject, undefined);
  const key = localKey(info.namespace, info.name);
  for (let attempt = 0; attempt < CONFLICT_TRIES_MAX; attempt++) {
    const old = served.cache.get(key);
    if (!old) throw notFound(call.kind, info.name);
    const pod = old.object as V1Pod;
    checkBindable(call, pod, binding);
    const object = bound(pod, binding, formatTime(parts.clock.now())) as KubeObject;
    checkMetadata(call, object, old.object);
    if (call.isDryRun) return;
    const encoded = encodedForm(served, object);
    if (await commitObject(parts, served, key, encoded, old.revision)) return;
  }
  throw tooManyConflicts();
}

/** A Binding may bring labels and annotations, which must be such. */
function checkMetadata(call: ApiCall, object: KubeObject, old: KubeObject): void {
  if (object.metadata === old.metadata) return;
  const errors = validateObjectMetaUpdate(object, old);
  if (errors.length > 0)
    throw invalid({ group: "", kind: "Pod", name: call.info.name, errors: [...errors] });
}

function bindingErrors({ target }: V1Binding): FieldError[] {
  const errors: FieldError[] = [];
  const kind = target?.kind ?? "";
  if (kind !== "" && kind !== "Node")
    errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
  if (!target?.name) errors.push(required("target.name"));
  return errors;
}

function checkBindable(call: ApiCall, pod: V1Pod, binding: V1Binding): void {
  const { name } = call.info;
  const { uid, resourceVersion } = binding.metadata ?? {};
  const refuse = (why: string): never => {
    throw conflict({ group: "", plural: "pods/binding" }, name, why);
  };
  if (uid && uid !== pod.metadata?.uid)
    refuse(
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid}`,
    );
  if (resourceVersion && resourceVersion !== pod.metadata?.resourceVersion)
    refuse(
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ` +
        `ResourceVersion in object meta: ${pod.metadata?.resourceVersion}`,
    );
  if (pod.metadata?.deletionTimestamp)
    refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec?.nodeName) refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (pod.spec?.schedulingGates?.length) refuse(`pod ${name} has non-empty .spec.schedulingGates`);
}

function bound(pod: V1Pod, binding: V1Binding, now: string): V1Pod {
  const { annotations, labels } = binding.metadata ?? {};
  const metadata =
    !annotations && !labels
      ? pod.metadata
      : {
          ...pod.metadata,
          ...(annotations && { annotations: { ...pod.metadata?.annotations, ...annotations } }),
          ...(labels && { labels: { ...pod.metadata?.labels, ...labels } }),
        };
  const scheduled: V1PodCondition = {
    type: "PodScheduled",
    status: "True",
    ...(metadata?.generation !== undefined && { observedGeneration: metadata.generation }),
    lastTransitionTime: now as never,
  };
  const others = pod.status?.conditions?.filter(({ type }) => type !== "PodScheduled") ?? [];
  // Where it is expected to be is where it is.
  const { nominatedNodeName: _nominated, ...status } = pod.status ?? {};
  return {
    ...pod,
    ...(metadata && { metadata }),
    spec: { ...pod.spec!, nodeName: binding.target.name! },
    status: { ...status, conditions: [...others, scheduled] },
  };
}
