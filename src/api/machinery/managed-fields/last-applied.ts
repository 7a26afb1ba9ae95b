import { goJson } from "./path-element.ts";
import { getOwn, isRecord } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { compareTyped } from "./compare.ts";
import { difference, type FieldSet } from "./field-set.ts";
import type { ManagedScope } from "./scope.ts";
import { fieldSetOfValue } from "./typed-sets.ts";
import { configProblem } from "./validate-config.ts";

/** Where client-side apply keeps the configuration it applied. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** kubectl alone takes over from its own client-side apply; under another name it is a stranger. */
export const isLastAppliedManager = (manager: string): boolean => manager === "kubectl";

/**
 * What client-side apply owns of `live`: all that the annotation says and that is still so. `undefined`: nothing can be said.
 *
 * @spec k8s@1.36 managedfields/internal/lastappliedmanager.go allowedConflictsFromLastApplied
 */
export function lastAppliedFields(scope: ManagedScope, live: KubeObject): FieldSet | undefined {
  const text = live.metadata?.annotations?.[LAST_APPLIED];
  const config = text ? parsed(text) : undefined;
  if (!config || getOwn(config, "apiVersion") !== scope.apiVersion) return undefined;
  if (configProblem(scope.type, config) !== undefined) return undefined;
  const { added, modified, removed } = compareTyped(scope.type, config, live);
  const said = fieldSetOfValue(scope.type, config);
  return difference(difference(difference(said, modified), added), removed);
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `object` with the annotation saying what was applied now, where it had one.
 *
 * @bounds an annotation that would be larger than {@link ANNOTATION_BYTES_MAX} is emptied, as upstream does.
 * @spec k8s@1.36 managedfields/internal/lastappliedupdater.go, lastapplied.go
 */
export function withLastApplied(object: KubeObject, config: KubeObject): KubeObject {
  const { annotations } = object.metadata ?? {};
  if (!annotations?.[LAST_APPLIED]) return object;
  const text = textOf(config);
  const value = fits({ ...annotations, [LAST_APPLIED]: text }) ? text : "";
  if (annotations[LAST_APPLIED] === value) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: value } },
  };
}

/** As much as all annotations of an object may take together. @spec apimachinery api/validation TotalAnnotationSizeLimitB */
const ANNOTATION_BYTES_MAX = 256 * 1024;

function fits(annotations: Readonly<Record<string, string>>): boolean {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes <= ANNOTATION_BYTES_MAX;
}

/** The configuration as Go's encoder writes a map: keys sorted, and a line end behind. */
function textOf(config: KubeObject): string {
  const { metadata } = config;
  if (metadata?.annotations?.[LAST_APPLIED] === undefined) return `${goJson(sorted(config))}\n`;
  const { [LAST_APPLIED]: own, ...annotations } = metadata.annotations;
  void own;
  return `${goJson(sorted({ ...config, metadata: { ...metadata, annotations } }))}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
