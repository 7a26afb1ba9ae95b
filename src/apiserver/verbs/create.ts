import {
  alreadyExists,
  badRequest,
  generateNameConflict,
  invalid,
} from "../../api/machinery/status-errors.ts";
import { StatusError } from "../../api/machinery/status-error.ts";
import type { KubeObject, ObjectMeta } from "../../api/machinery/object.ts";
import { validateObjectMeta, type MetaRules } from "../../api/machinery/object-meta-validation.ts";
import { formatTime } from "../../base/clock.ts";
import { nameSuffix, uuid } from "../../base/random.ts";
import type { ApiCall } from "../api-call.ts";
import { managedOnCreate, type ManagedFields, type Tracking } from "../field-management/track.ts";
import type { ServerParts } from "../parts.ts";
import {
  commitObject,
  CONFLICT_TRIES_MAX,
  encodedForm,
  tooManyConflicts,
  unwritten,
} from "../registry/commit.ts";
import { shown } from "../registry/face.ts";
import { localKey } from "../registry/keys.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { admitObject, chargeQuotas, prepareAdmission, validateAdmission } from "./admit.ts";

/** Generated names tried before AlreadyExists. @spec k8s@1.36 registry/generic/registry/store.go maxNameGenerationCreateAttempts */
const NAME_TRIES_MAX = 8;
/** Characters of `generateName` that are kept, and random ones behind them. @spec apiserver storage/names/generate.go */
const BASE_CHARACTERS_MAX = 58;
const SUFFIX_CHARACTERS = 5;

/**
 * Creates the object, or fails and changes nothing.
 *
 * Flow: managed fields (`tracking`: see `Tracking`; default: the caller's) → admission →
 * reserve cluster-wide values → the kind's preparation → metadata → validation → judging admission →
 * commit with "must not exist". A generated name that is taken is generated anew.
 * @throws {StatusError} AlreadyExists, Invalid, BadRequest, whatever admission says.
 * @spec k8s@1.36 apiserver registry/generic/registry/store.go Create; registry/rest/create.go BeforeCreate
 */
export async function createObject(
  parts: ServerParts,
  call: ApiCall,
  input: KubeObject,
  tracking?: Tracking,
): Promise<ObjectVersion> {
  const given = inNamespace(call, input);
  if (given.metadata?.resourceVersion)
    throw badRequest("resourceVersion should not be set on objects to be created");
  const managed =
    tracking === "given" ? given.metadata?.managedFields : managedOnCreate(parts, call, given);
  const pause = call.pause();
  if (pause) await pause;
  const waiting = prepareAdmission(parts, call, given);
  if (waiting) await waiting;
  const isGenerated = !given.metadata?.name && Boolean(given.metadata?.generateName);
  for (let attempt = 1; ; attempt++) {
    const named = isGenerated ? withGeneratedName(parts, given) : given;
    const version = await createNamed(parts, call, named, managed);
    if (version) return version;
    if (!isGenerated) throw taken(call, named.metadata!.name!);
    if (attempt >= NAME_TRIES_MAX) throw generateNameConflict(call.kind, named.metadata!.name!);
  }
}

/** @returns `undefined`: the name is taken. */
async function createNamed(
  parts: ServerParts,
  call: ApiCall,
  named: KubeObject,
  managed: ManagedFields,
): Promise<ObjectVersion | undefined> {
  const { quotas } = parts;
  if (!quotas.concerns(call, "CREATE"))
    return decided(await createOnce(parts, call, named, managed));
  return quotas.inTurn(call.info.namespace, async () => {
    for (let attempt = 0; attempt < CONFLICT_TRIES_MAX; attempt++) {
      const version = await createOnce(parts, call, named, managed);
      if (version !== OUTRUN) return version;
    }
    throw tooManyConflicts();
  });
}

/** Nothing was written: a quota that counts the object has changed. */
const OUTRUN = Symbol("outrun");

/** Of a write that no quota counts. */
function decided(version: ObjectVersion | typeof OUTRUN | undefined): ObjectVersion | undefined {
  return version === OUTRUN ? undefined : version;
}

/** @returns `undefined`: the name is taken. */
async function createOnce(
  parts: ServerParts,
  call: ApiCall,
  named: KubeObject,
  managed: ManagedFields,
): Promise<ObjectVersion | typeof OUTRUN | undefined> {
  const { served } = call;
  const admitted = admitObject(parts, call, "CREATE", named, undefined);
  const allocator = parts.allocators.get(`${served.kind.group}/${served.kind.plural}`);
  const reservation = allocator?.begin(admitted, undefined, call.isDryRun);
  try {
    const object = prepared(parts, call, reservation?.object ?? admitted, managed);
    validateAdmission(parts, call, "CREATE", object, undefined);
    const key = localKey(call.info.namespace, object.metadata!.name!);
    if (served.cache.get(key)) return undefined;
    const also = chargeQuotas(parts, call, "CREATE", object, undefined);
    if (call.isDryRun) return unwritten(key, object, 0);
    const encoded = encodedForm(served, object);
    const version = await commitObject(parts, served, key, encoded, 0, also);
    if (!version) return also.length > 0 && !served.cache.get(key) ? OUTRUN : undefined;
    reservation?.confirm();
    return shown(served, version);
  } finally {
    reservation?.release();
  }
}

function prepared(
  parts: ServerParts,
  call: ApiCall,
  admitted: KubeObject,
  managed: ManagedFields,
): KubeObject {
  const { resource, kind, served } = call;
  const { user } = call;
  const now = parts.clock.now();
  const facts = { now, user: user.name, identity: user, uid: uuid(parts.random) };
  const withSpec = resource.strategy.prepareForCreate(admitted, facts);
  const metadata = freshMeta(withSpec.metadata ?? {}, facts.uid, facts.now, managed);
  const object = { ...withSpec, kind: kind.kind, apiVersion: served.apiVersion, metadata };
  const ofMeta = validateObjectMeta(object, metaRulesOf(call));
  const ofKind = resource.strategy.validate(object);
  if (ofMeta.length + ofKind.length > 0) {
    const errors = [...ofMeta, ...ofKind];
    throw invalid({ group: kind.group, kind: kind.kind, name: metadata.name ?? "", errors });
  }
  for (const text of resource.strategy.warnings?.(object, undefined) ?? []) call.warn(text);
  return object;
}

function metaRulesOf({ kind, resource }: ApiCall): MetaRules {
  const { isNamespaced } = kind;
  const { validateName } = resource.strategy;
  return validateName ? { isNamespaced, validateName } : { isNamespaced };
}

/** Fields of metadata that a client does not set on a new object. */
const DECIDED: ReadonlySet<string> = new Set([
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "resourceVersion",
  "managedFields",
]);

/** What the system decides of a new object's metadata. @spec rest/meta.go FillObjectMetaSystemFields; create.go BeforeCreate */
function freshMeta(
  given: ObjectMeta,
  uid: string,
  now: number,
  managedFields: ManagedFields,
): ObjectMeta {
  const metadata: Record<string, unknown> = { uid, creationTimestamp: formatTime(now) };
  for (const field in given)
    if (!DECIDED.has(field)) metadata[field] = given[field as keyof ObjectMeta];
  if (managedFields) metadata["managedFields"] = managedFields;
  return metadata;
}

function withGeneratedName(parts: ServerParts, object: KubeObject): KubeObject {
  const base = object.metadata!.generateName!.slice(0, BASE_CHARACTERS_MAX);
  const name = base + nameSuffix(parts.random, SUFFIX_CHARACTERS);
  return { ...object, metadata: { ...object.metadata, name } };
}

/** The object with the namespace of the request. @spec rest/meta.go EnsureObjectNamespaceMatchesRequestNamespace */
export function inNamespace(call: ApiCall, object: KubeObject): KubeObject {
  const wanted = call.info.namespace;
  const own = object.metadata?.namespace ?? "";
  if (!call.kind.isNamespaced) {
    if (own === "") return object;
    const { namespace, ...metadata } = object.metadata!;
    void namespace;
    return { ...object, metadata };
  }
  if (own === wanted) return object;
  if (own === "") return { ...object, metadata: { namespace: wanted, ...object.metadata } };
  throw badRequest(
    "the namespace of the provided object does not match the namespace sent on the request",
  );
}

function taken(call: ApiCall, name: string): Error {
  const existing = call.served.cache.get(localKey(call.info.namespace, name));
  const error = alreadyExists(call.kind, name);
  if (existing?.meta.deletionTimestamp === undefined) return error;
  return new StatusError({
    ...error.status,
    message: `object is being deleted: ${error.message}`,
  });
}
