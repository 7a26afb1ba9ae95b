import type { V1ConfigMap, V1Container, V1EnvVar, V1Secret } from "../../gen/types.ts";
import { expand } from "./expand.ts";
import { fieldValue, resourceValue, type FieldContext } from "./field-ref.ts";

/** Objects that a Pod refers to, in its namespace; `undefined`: there is none. */
export interface ObjectSource {
  configMap(name: string): V1ConfigMap | undefined;
  secret(name: string): V1Secret | undefined;
}

/** The container's variables cannot be made; the message is what its status shows. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * A container's environment in order: envFrom, env, then what Services add and nothing has set.
 *
 * @throws {ConfigError} something named is missing and not optional.
 * @spec k8s@1.36 pkg/kubelet/kubelet_pods.go makeEnvironmentVariables
 */
export function environmentOf(
  container: V1Container,
  context: FieldContext,
  objects: ObjectSource,
  services: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of fromSources(container, objects)) result.set(name, value);
  const lookup = (name: string): string | undefined =>
    result.get(name) ?? (Object.hasOwn(services, name) ? services[name] : undefined);
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? valueFrom(variable, container, context, objects)
      : expand(variable.value ?? "", lookup);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of Object.entries(services))
    if (!result.has(name)) result.set(name, value);
  return result;
}

/** Command or arguments with the environment put in. */
export function expandAll(
  texts: readonly string[] | undefined,
  environment: ReadonlyMap<string, string>,
): readonly string[] {
  return (texts ?? []).map((text) => expand(text, (name) => environment.get(name)));
}

/** Names that a process can have; others of a whole ConfigMap are left out. @spec validation IsRelaxedEnvVarName */
const VARIABLE_NAME = /^[\x20-\x3c\x3e-\x7e]+$/;

function fromSources(
  container: V1Container,
  objects: ObjectSource,
): readonly (readonly [string, string])[] {
  return (container.envFrom ?? []).flatMap(({ prefix = "", configMapRef, secretRef }) => {
    const ref = configMapRef ?? secretRef;
    const name = ref?.name ?? "";
    const data = configMapRef ? objects.configMap(name)?.data : textOf(objects.secret(name));
    const isThere = configMapRef ? objects.configMap(name) : objects.secret(name);
    if (!isThere && !ref?.optional) throw missing(configMapRef ? "configmap" : "secret", name);
    return Object.entries(data ?? {})
      .map(([key, value]) => [prefix + key, value] as const)
      .filter(([key]) => VARIABLE_NAME.test(key));
  });
}

function valueFrom(
  variable: V1EnvVar,
  container: V1Container,
  context: FieldContext,
  objects: ObjectSource,
): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  const namespace = context.pod.metadata?.namespace ?? "";
  if (fieldRef) {
    const value = fieldValue(context, fieldRef.fieldPath);
    if (value === undefined) throw new ConfigError(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return value;
  }
  if (resourceFieldRef) {
    const value = resourceValue(context, resourceFieldRef, container);
    if (value === undefined)
      throw new ConfigError(`container ${resourceFieldRef.containerName ?? ""} not found`);
    return value;
  }
  if (configMapKeyRef) {
    const { name = "", key, optional = false } = configMapKeyRef;
    const object = objects.configMap(name);
    if (!object && !optional) throw missing("configmap", name);
    const value = object?.data?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (secretKeyRef) {
    const { name = "", key, optional = false } = secretKeyRef;
    const object = objects.secret(name);
    if (!object && !optional) throw missing("secret", name);
    const value = textOf(object)?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value;
  }
  return "";
}

function missing(kind: "configmap" | "secret", name: string): ConfigError {
  return new ConfigError(`${kind} ${JSON.stringify(name)} not found`);
}

function textOf(secret: V1Secret | undefined): Readonly<Record<string, string>> | undefined {
  if (!secret) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString("utf8"),
    ]),
  );
}
