import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Subresources } from "../../api/machinery/resource.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { StatusError } from "../../api/machinery/status-error.ts";
import {
  badRequest,
  conflict,
  invalid as invalidObject,
} from "../../api/machinery/status-errors.ts";
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
import { managedAfterUpdate } from "../../api/machinery/managed-fields/track-update.ts";
import { applyConfiguration } from "../../api/machinery/managed-fields/apply.ts";
import { writerOf } from "../field-management/managed-scope.ts";
import { parentManagers, scaleManagers, scaleScope } from "../field-management/scale-fields.ts";
import { withManagedFields, type ManagedFields } from "../field-management/track.ts";
import { checkType, subjectOf } from "../verbs/apply.ts";
import { updateObject } from "../verbs/update.ts";
import { configOf, isApplyPatch } from "./apply.ts";
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
  const change = await requestedChange(parts, call, request);
  const { version } = await updateObject(parts, call, {
    isPatch: request.method === "PATCH",
    tracking: "given",
    wanted: (old) => wantedParent(call, rules, old!.object, change),
  });
  return replyObject(call, reply, scaleOf(rules, version.object));
}

/** A Scale with its managers, changed as a request asks. */
type ScaleChange = (scale: Scale) => { readonly scale: Scale; readonly managers: ManagedFields };

/** The object behind a Scale after a change of the Scale. */
function wantedParent(
  call: ApiCall,
  rules: ScaleRules,
  object: KubeObject,
  change: ScaleChange,
): KubeObject {
  const before = scaleOf(rules, object);
  const managedFields = scaleManagers(object);
  const { scale, managers } = change({
    ...before,
    metadata: { ...before.metadata, managedFields },
  });
  const wanted = rules.withReplicas(object, replicasOf(call, scale));
  const { resourceVersion, uid } = scale.metadata ?? {};
  if (uid && uid !== object.metadata!.uid) throw otherUid(call, uid, object);
  const metadata = { ...wanted.metadata, resourceVersion: resourceVersion ?? "" };
  return withManagedFields({ ...wanted, metadata }, parentManagers(call, object, managers));
}

/** @spec k8s@1.36 pkg/registry/apps/deployment/storage scaleUpdatedObjectInfo */
function otherUid({ resource, info }: ApiCall, uid: string, { metadata }: KubeObject): StatusError {
  const { group, plural } = resource.kind;
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata!.uid}`;
  return conflict({ group, plural: `${plural}/scale` }, info.name, why);
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

/** What a request wants of the Scale, whatever it is at the moment. @throws {StatusError} BadRequest, UnsupportedMediaType */
async function requestedChange(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ScaleChange> {
  const scope = scaleScope(parts);
  const writer = writerOf(parts, call);
  if (request.method === "PATCH" && isApplyPatch(request)) {
    const config = await configOf(call, request);
    checkType(config, EXPECTED.apiVersion, EXPECTED.kind);
    const isForced = call.flags.isForced ?? false;
    const options = { writer, isForced, subject: subjectOf(config) };
    return (before) => {
      const { object, managedFields } = applyConfiguration(scope, before, config, options);
      return { scale: object as Scale, managers: managedFields };
    };
  }
  const change = plainChange(parts.schemas, request, await request.body());
  return (before) => {
    const scale = change(withManagedFields(before, undefined) as Scale) as Scale;
    return { scale, managers: managedAfterUpdate(scope, before, scale, writer) };
  };
}

function plainChange(
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
