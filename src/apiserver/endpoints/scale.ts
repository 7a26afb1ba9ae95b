import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Subresources } from "../../api/machinery/resource.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import { badRequest, invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { methodNotAllowed } from "../../api/machinery/routing-errors.ts";
import { applyJsonPatch } from "../../api/machinery/json-patch.ts";
import type { JsonRecord } from "../../api/machinery/json-value.ts";
import { applyMergePatch } from "../../api/machinery/merge-patch.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import { parseBody, parseJson } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import { getObject } from "../verbs/get.ts";
import { updateObject } from "../verbs/update.ts";
import { patchTypeOf } from "./write.ts";
import { replyFor, replyObject } from "./reply.ts";

type ScaleRules = NonNullable<Subresources<KubeObject>["scale"]>;

interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

/**
 * `autoscaling/v1` Scale of any kind that has one: the replica count alone, to read and to change.
 *
 * @spec k8s@1.36 pkg/registry/apps/deployment/storage ScaleREST
 */
export async function scaleEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  rules: ScaleRules,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  if (call.info.verb === "get")
    return replyObject(call, reply, scaleOf(rules, getObject(call).object));
  if (request.method !== "PUT" && request.method !== "PATCH") throw methodNotAllowed();
  const bytes = await request.body();
  const change = requestedChange(parts.schemas, request, bytes);
  const { version } = await updateObject(parts, call, {
    isPatch: request.method === "PATCH",
    wanted: (old) => {
      const object = old!.object;
      const scale = change(scaleOf(rules, object)) as Scale;
      const wanted = rules.withReplicas(object, replicasOf(call, scale));
      const { resourceVersion, uid } = scale.metadata ?? {};
      const metadata = {
        ...wanted.metadata,
        resourceVersion: resourceVersion ?? "",
        uid: uid ?? object.metadata!.uid!,
      };
      return { ...wanted, metadata };
    },
  });
  return replyObject(call, reply, scaleOf(rules, version.object));
}

/** The Scale of an object. */
export function scaleOf(rules: ScaleRules, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata!;
  const selector = rules.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name: name!,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: { replicas: rules.replicas(object) },
    status: { replicas: rules.statusReplicas(object), ...(selector !== "" && { selector }) },
  } as Scale;
}

const EXPECTED = { apiVersion: "autoscaling/v1", kind: "Scale" };

function requestedChange(
  schemas: SchemaSet,
  request: ApiRequest,
  bytes: Buffer,
): (scale: Scale) => unknown {
  const contentType = request.headers["content-type"];
  if (request.method === "PUT") {
    const body = parseBody(schemas, bytes, contentType, EXPECTED) as Scale;
    if (body.kind !== undefined && body.kind !== "Scale")
      throw badRequest(`wrong object passed to Scale update: ${JSON.stringify(body.kind)}`);
    return () => body;
  }
  const patch = parseJson(bytes, "Scale");
  return patchTypeOf(request) === "json"
    ? (scale) => applyJsonPatch(scale as JsonRecord, patch)
    : (scale) => applyMergePatch(scale as JsonRecord, patch);
}

function replicasOf(call: ApiCall, scale: Scale): number {
  const replicas: unknown = scale.spec?.replicas ?? 0;
  const errors: FieldError[] = [];
  if (typeof replicas !== "number" || !Number.isInteger(replicas))
    throw badRequest("spec.replicas must be an integer");
  if (replicas < 0)
    errors.push(invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
  if (errors.length > 0)
    throw invalidObject({ group: "autoscaling", kind: "Scale", name: call.info.name, errors });
  return replicas;
}
