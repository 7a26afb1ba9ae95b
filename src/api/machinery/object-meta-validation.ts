import { equalJson } from "./equality.ts";
import * as field from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import { formatRune, isPrintable, quoteGo } from "./go-format.ts";
import {
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  validateLabelValue,
  validateQualifiedName,
} from "./names.ts";
import type { NameRule } from "./names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "./object.ts";

/**
 * What must hold for the metadata of every object, on create and on update.
 *
 * Called after the kind's own validation, so that the more exact messages come first.
 * @spec k8s@1.36 apimachinery api/validation/objectmeta.go, apis/meta/v1/validation/validation.go
 */

/** Bytes of keys and values together. Doubled, one object could fill a sixth of the largest stored value. */
export const ANNOTATIONS_BYTES_MAX = 256 * 1024;
/** Bytes of a field manager's name. @spec FieldManagerMaxLength */
const FIELD_MANAGER_BYTES_MAX = 128;
/** Bytes of a managed field entry's subresource. @spec MaxSubresourceNameLength */
const SUBRESOURCE_BYTES_MAX = 256;

/** The only words for a field that may not change. @spec FieldImmutableErrorMsg */
export const FIELD_IMMUTABLE = "field is immutable";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** Shared by all that have or found nothing. */
const NONE: readonly never[] = [];

/** What the kind says of its metadata. */
export interface MetaRules {
  readonly isNamespaced: boolean;
  /** Default: a DNS subdomain. */
  readonly validateName?: NameRule;
}

/** Metadata of a new object; its name was generated already where it had none. */
export function validateObjectMeta(object: KubeObject, rules: MetaRules): readonly FieldError[] {
  const meta = object.metadata ?? {};
  const validateName = rules.validateName ?? nameIsDnsSubdomain;
  const { ownerReferences = NONE, finalizers = NONE, managedFields = NONE } = meta;
  return [
    ...nameErrors(meta, validateName),
    ...namespaceErrors(meta, rules.isNamespaced),
    ...((meta.generation ?? 0) < 0
      ? [field.invalid("metadata.generation", meta.generation, IS_NEGATIVE)]
      : NONE),
    ...validateLabels(meta.labels, "metadata.labels"),
    ...validateAnnotations(meta.annotations, "metadata.annotations"),
    ...validateOwnerReferences(ownerReferences, "metadata.ownerReferences"),
    ...validateFinalizers(finalizers, "metadata.finalizers"),
    ...validateManagedFields(managedFields, "metadata.managedFields"),
  ];
}

/** Upstream's words for a negative number. @spec api/validation/generic.go */
export const IS_NEGATIVE = "must be greater than or equal to 0";

/** Metadata of a changed object against what is stored. */
export function validateObjectMetaUpdate(
  object: KubeObject,
  old: KubeObject,
): readonly FieldError[] {
  const meta = object.metadata ?? {};
  const before = old.metadata ?? {};
  const isTerminating = before.deletionTimestamp !== undefined;
  return [
    ...(isTerminating ? newFinalizerErrors(meta, before) : []),
    ...(meta.resourceVersion ? [] : [noResourceVersion(meta)]),
    ...((meta.generation ?? 0) < (before.generation ?? 0)
      ? [field.invalid("metadata.generation", meta.generation ?? 0, "must not be decremented")]
      : []),
    ...IMMUTABLE.flatMap((name) =>
      validateImmutable(meta[name], before[name], `metadata.${name}`, TEXT_FIELDS.has(name)),
    ),
    ...validateLabels(meta.labels, "metadata.labels"),
    ...validateAnnotations(meta.annotations, "metadata.annotations"),
    ...validateOwnerReferences(meta.ownerReferences ?? [], "metadata.ownerReferences"),
    ...validateManagedFields(meta.managedFields ?? [], "metadata.managedFields"),
  ];
}

const IMMUTABLE = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;
/** Absent means "" for these, and is shown so. */
const TEXT_FIELDS: ReadonlySet<string> = new Set(["name", "namespace", "uid"]);

function noResourceVersion(meta: ObjectMeta): FieldError {
  const why = "must be specified for an update";
  return field.invalid("metadata.resourceVersion", meta.resourceVersion ?? "", why);
}

/** An error when the two differ; absent and "" are the same for texts. @spec ValidateImmutableField */
export function validateImmutable(
  value: unknown,
  old: unknown,
  path: string,
  isText = false,
): readonly FieldError[] {
  const now = isText ? (value ?? "") : value;
  const before = isText ? (old ?? "") : old;
  return equalJson(now, before) ? [] : [field.invalid(path, now, FIELD_IMMUTABLE)];
}

function nameErrors(meta: ObjectMeta, validateName: NameRule): readonly FieldError[] {
  const { name = "", generateName = "" } = meta;
  const prefix = generateName === "" ? NONE : validateName(generateName, true);
  if (name !== "" && prefix.length === 0 && validateName(name, false).length === 0) return NONE;
  return [
    ...prefix.map((why) => field.invalid("metadata.generateName", generateName, why)),
    ...(name === ""
      ? [field.required("metadata.name", "name or generateName is required")]
      : validateName(name, false).map((why) => field.invalid("metadata.name", name, why))),
  ];
}

function namespaceErrors(meta: ObjectMeta, isNamespaced: boolean): FieldError[] {
  const { namespace = "" } = meta;
  const path = "metadata.namespace";
  if (!isNamespaced)
    return namespace === "" ? [] : [field.forbidden(path, "not allowed on this type")];
  if (namespace === "") return [field.required(path)];
  return nameIsDnsLabel(namespace, false).map((why) => field.invalid(path, namespace, why));
}

/** Keys and values of labels. @spec ValidateLabels */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  if (labels === undefined) return NONE;
  let isValid = true;
  for (const key in labels)
    isValid &&=
      validateQualifiedName(key).length === 0 && validateLabelValue(labels[key]!).length === 0;
  if (isValid) return NONE;
  return field.errorsOfEach(sortedEntries(labels), ([key, value]) => [
    ...validateLabelName(key, path),
    ...validateLabelValue(value).map((why) => field.invalid(path, value, why)),
  ]);
}

/** A label's key. @spec ValidateLabelName */
export function validateLabelName(name: string, path: string): readonly FieldError[] {
  return validateQualifiedName(name).map((why) => field.invalid(path, name, why));
}

/** Keys (in any case) and total size of annotations. @spec ValidateAnnotations */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  if (annotations === undefined) return NONE;
  const entries = sortedEntries(annotations);
  const errors = field.errorsOfEach(entries, ([key]) =>
    validateQualifiedName(key.toLowerCase()).map((why) => field.invalid(path, key, why)),
  );
  const bytes = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  return bytes > ANNOTATIONS_BYTES_MAX
    ? [...errors, field.tooLong(path, ANNOTATIONS_BYTES_MAX)]
    : errors;
}

/** By key, so that the message is the same every time (upstream's order is that of a Go map: random). */
function sortedEntries(
  record: Readonly<Record<string, string>> | undefined,
): readonly [string, string][] {
  return Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Owners are complete, and at most one of them is the controller. @spec ValidateOwnerReferences */
export function validateOwnerReferences(
  owners: readonly OwnerReference[],
  path: string,
): readonly FieldError[] {
  if (owners.length === 0) return NONE;
  let controller = "";
  return field.errorsOfEach(owners, (owner) => {
    const errors = ownerErrors(owner, path);
    if (owner.controller !== true) return errors;
    const name = `${owner.kind}/${owner.name}`;
    if (controller === "") {
      controller = name;
      return errors;
    }
    const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
    return [...errors, field.invalid(path, owners, why)];
  });
}

function ownerErrors(owner: OwnerReference, path: string): FieldError[] {
  const version = owner.apiVersion?.split("/").at(-1) ?? "";
  const empty = "must not be empty";
  const missing = (name: "kind" | "name" | "uid"): FieldError[] =>
    owner[name] ? [] : [field.invalid(`${path}.${name}`, "", empty)];
  return [
    ...(version === ""
      ? [field.invalid(`${path}.apiVersion`, owner.apiVersion ?? "", "version must not be empty")]
      : []),
    ...missing("kind"),
    ...missing("name"),
    ...missing("uid"),
    // Events are too many and too short-lived to own anything.
    ...(owner.apiVersion === "v1" && owner.kind === "Event"
      ? [field.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")]
      : []),
  ];
}

/** Finalizers are qualified names, and orphaning excludes foreground deletion. @spec ValidateFinalizers */
export function validateFinalizers(
  finalizers: readonly string[],
  path: string,
): readonly FieldError[] {
  if (finalizers.length === 0) return NONE;
  const errors = field.errorsOfEach(finalizers, (name) =>
    validateQualifiedName(name).map((why) => field.invalid(path, name, why)),
  );
  if (!finalizers.includes(ORPHAN) || !finalizers.includes(FOREGROUND)) return errors;
  const why = `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`;
  return [...errors, field.invalid(path, finalizers, why)];
}

function newFinalizerErrors(meta: ObjectMeta, before: ObjectMeta): FieldError[] {
  const old = new Set(before.finalizers);
  const added = [...new Set(meta.finalizers)].filter((name) => !old.has(name)).sort();
  if (added.length === 0) return [];
  const list = `[]string{${added.map(quoteGo).join(", ")}}`;
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
  return [field.forbidden("metadata.finalizers", why)];
}

/** Entries written by a client that carries managedFields over. @spec ValidateManagedFields */
export function validateManagedFields(
  entries: readonly object[],
  path: string,
): readonly FieldError[] {
  if (entries.length === 0) return NONE;
  return field.errorsOfEach(entries, (entry, index) => {
    const at = `${path}[${index}]`;
    const { operation, fieldsType, manager, subresource } = entry as ManagedFieldsEntry;
    return [
      ...(operation === "Apply" || operation === "Update"
        ? []
        : [field.invalid(`${at}.operation`, operation ?? "", "must be `Apply` or `Update`")]),
      ...(fieldsType && fieldsType !== "FieldsV1"
        ? [field.invalid(`${at}.fieldsType`, fieldsType, "must be `FieldsV1`")]
        : []),
      ...validateFieldManager(manager ?? "", `${at}.manager`),
      ...(Buffer.byteLength(subresource ?? "") > SUBRESOURCE_BYTES_MAX
        ? [field.tooLong(`${at}.subresource`, SUBRESOURCE_BYTES_MAX)]
        : []),
    ];
  });
}

interface ManagedFieldsEntry {
  readonly operation?: string;
  readonly fieldsType?: string;
  readonly manager?: string;
  readonly subresource?: string;
}

/** At most 128 bytes, all printable. @spec ValidateFieldManager */
export function validateFieldManager(manager: string, path: string): readonly FieldError[] {
  const errors: FieldError[] =
    Buffer.byteLength(manager) > FIELD_MANAGER_BYTES_MAX
      ? [field.tooLong(path, FIELD_MANAGER_BYTES_MAX)]
      : [];
  let position = 0;
  for (const rune of manager) {
    if (!isPrintable(rune)) {
      const why = `invalid character ${formatRune(rune)} (at position ${position})`;
      errors.push(field.invalid(path, manager, why));
      if (errors.length > FIELD_MANAGER_BYTES_MAX) break;
    }
    position += Buffer.byteLength(rune);
  }
  return errors;
}
