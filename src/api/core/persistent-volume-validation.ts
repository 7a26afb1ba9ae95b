import type { V1PersistentVolume, V1PersistentVolumeSpec } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateDnsSubdomain } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import {
  invalids,
  NOT_POSITIVE,
  oneOf,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { validateNodeSelector } from "./affinity-validation.ts";
import { validateAccessModes } from "./persistent-volume-claim-validation.ts";
import { PLAIN_SOURCE_RULES } from "./volume-source-rules.ts";
import { noBacksteps } from "./volume-validation.ts";

/** The fields of a spec that are no source. */
const PLAIN_FIELDS = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

type Source = Readonly<Record<string, unknown>>;

/** @spec k8s@1.36 pkg/apis/core/validation ValidatePersistentVolumeSpec */
export function validateVolume({ spec = {} }: V1PersistentVolume): Errors {
  const { nodeAffinity, hostPath } = spec;
  const className = (field: "storageClassName" | "volumeAttributesClassName"): Errors => {
    const name = spec[field];
    return name ? invalids(`spec.${field}`, name, validateDnsSubdomain(name)) : [];
  };
  const isRootRecycled = hostPath?.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle";
  return [
    ...validateAccessModes(spec.accessModes ?? [], "spec.accessModes", ""),
    ...validateCapacity(spec),
    ...oneOf("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, [
      "Delete",
      "Recycle",
      "Retain",
    ]),
    ...(nodeAffinity
      ? nodeAffinity.required
        ? validateNodeSelector(nodeAffinity.required, "spec.nodeAffinity.required")
        : [required("spec.nodeAffinity.required", "must specify required node constraints")]
      : []),
    ...validateSources(spec),
    ...when(
      isRootRecycled,
      forbidden(
        "spec.persistentVolumeReclaimPolicy",
        "may not be 'recycle' for a hostPath mount of '/'",
      ),
    ),
    ...className("storageClassName"),
    ...oneOf("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"]),
    ...className("volumeAttributesClassName"),
  ];
}

/** What a volume is does not change. @spec ValidatePersistentVolumeUpdate */
export function validateVolumeChange(
  { spec = {} }: V1PersistentVolume,
  { spec: old = {} }: V1PersistentVolume,
): Errors {
  const sources = sourcesOf(spec);
  return [
    ...when(
      !equalSemantic(sources, sourcesOf(old)),
      forbidden(
        "spec.persistentvolumesource",
        "spec.persistentvolumesource is immutable after creation",
      ),
    ),
    ...when(
      spec.volumeMode !== old.volumeMode,
      invalid("spec.volumeMode", spec.volumeMode, FIELD_IMMUTABLE),
    ),
    ...when(
      old.nodeAffinity !== undefined && !equalSemantic(spec.nodeAffinity, old.nodeAffinity),
      invalid("spec.nodeAffinity", spec.nodeAffinity, FIELD_IMMUTABLE),
    ),
  ];
}

function validateCapacity({ capacity = {} }: V1PersistentVolumeSpec): Errors {
  const names = Object.keys(capacity);
  if (names.length === 0) return [required("spec.capacity")];
  const storage = capacity["storage"];
  if (storage === undefined || names.length > 1)
    return [notSupported("spec.capacity", capacity, ["storage"])];
  const problem = quantityProblem(storage);
  if (problem !== undefined) return [invalid("spec.capacity[storage]", storage, problem)];
  const isPositive = parseQuantity(storage).nanos > 0n;
  return when(!isPositive, invalid("spec.capacity[storage]", storage, NOT_POSITIVE));
}

function sourcesOf(spec: V1PersistentVolumeSpec): Readonly<Record<string, Source>> {
  const sources = Object.entries(spec).filter(
    ([field, value]) => !PLAIN_FIELDS.has(field) && value !== undefined && value !== null,
  );
  return Object.fromEntries(sources) as Record<string, Source>;
}

/** Exactly one, and complete. */
function validateSources(spec: V1PersistentVolumeSpec): Errors {
  const [first, ...more] = Object.entries(sourcesOf(spec));
  if (!first) return [required("spec", "must specify a volume type")];
  return [
    ...validateSource(first[0], first[1], spec),
    ...more.map(([field]) => forbidden(`spec.${field}`, "may not specify more than 1 volume type")),
  ];
}

function validateSource(field: string, source: Source, spec: V1PersistentVolumeSpec): Errors {
  const path = `spec.${field}`;
  const needs = (...names: readonly string[]): Errors =>
    names.flatMap((name) => requiredText(`${path}.${name}`, source[name] as string | undefined));
  const place = String(source["path"] ?? "");
  switch (field) {
    case "hostPath":
      return [...needs("path"), ...noBacksteps(`${path}.path`, place)];
    case "local":
      return [
        ...needs("path"),
        ...noBacksteps(`${path}.path`, place),
        ...when(
          spec.nodeAffinity === undefined,
          required("spec.nodeAffinity", "Local volume requires node affinity"),
        ),
      ];
    case "nfs":
      return needs("server", "path");
    case "csi":
      return needs("driver", "volumeHandle");
    default:
      return PLAIN_SOURCE_RULES[field as keyof typeof PLAIN_SOURCE_RULES]?.(source, path) ?? [];
  }
}
