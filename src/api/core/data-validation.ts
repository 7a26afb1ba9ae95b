import type { V1ConfigMap, V1Secret } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { errorsOfEach, forbidden, invalid, required, tooLong } from "../machinery/field-error.ts";
import { validateConfigMapKey } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { invalids, when, type Errors } from "../strategy/checks.ts";

/** All values of one ConfigMap or Secret together. Doubled, an object no longer fits into a request of etcd. */
const DATA_BYTES_MAX = 1024 * 1024;

const SEALED = "field is immutable when `immutable` is set";
const REDACTED = "<secret contents redacted>";

/** @spec k8s@1.36 pkg/apis/core/validation ValidateConfigMap */
export function validateConfigMap({ data = {}, binaryData = {} }: V1ConfigMap): Errors {
  const bytes =
    sum(Object.values(data).map((text) => Buffer.byteLength(text))) +
    sum(Object.values(binaryData).map(decodedBytes));
  return [
    ...errorsOfEach(Object.keys(data), (key) => [
      ...invalids(`data[${key}]`, key, validateConfigMapKey(key)),
      ...when(
        Object.hasOwn(binaryData, key),
        invalid(`data[${key}]`, key, "duplicate of key present in binaryData"),
      ),
    ]),
    ...errorsOfEach(Object.keys(binaryData), (key) =>
      invalids(`binaryData[${key}]`, key, validateConfigMapKey(key)),
    ),
    ...when(bytes > DATA_BYTES_MAX, tooLong("", DATA_BYTES_MAX)),
  ];
}

/** @spec ValidateConfigMapUpdate */
export function validateConfigMapChange(config: V1ConfigMap, old: V1ConfigMap): Errors {
  return sealed(config, old, ["data", "binaryData"]);
}

/** @spec k8s@1.36 pkg/apis/core/validation ValidateSecret */
export function validateSecret(secret: V1Secret): Errors {
  const data = secret.data ?? {};
  const bytes = sum(Object.values(data).map(decodedBytes));
  return [
    ...errorsOfEach(Object.keys(data), (key) =>
      invalids(`data[${key}]`, key, validateConfigMapKey(key)),
    ),
    ...when(bytes > DATA_BYTES_MAX, tooLong("data", DATA_BYTES_MAX)),
    ...validateSecretType(secret, data),
  ];
}

function validateSecretType(
  { type, metadata }: V1Secret,
  data: Readonly<Record<string, string>>,
): Errors {
  const needs = (key: string): Errors => when(!Object.hasOwn(data, key), required(`data[${key}]`));
  switch (type) {
    case "kubernetes.io/service-account-token": {
      const annotation = "kubernetes.io/service-account.name";
      const isNamed = !!metadata?.annotations?.[annotation];
      return when(!isNamed, required(`metadata.annotations[${annotation}]`));
    }
    case "kubernetes.io/dockercfg":
      return validateJson(".dockercfg", data);
    case "kubernetes.io/dockerconfigjson":
      return validateJson(".dockerconfigjson", data);
    case "kubernetes.io/basic-auth": {
      const both = [...needs("username"), ...needs("password")];
      return both.length === 2 ? both : [];
    }
    case "kubernetes.io/ssh-auth":
      return when(!data["ssh-privatekey"], required("data[ssh-privatekey]"));
    case "kubernetes.io/tls":
      return [...needs("tls.crt"), ...needs("tls.key")];
    default:
      return [];
  }
}

/** A registry's credentials are read by the kubelet, which can say nothing when they are no JSON. */
function validateJson(key: string, data: Readonly<Record<string, string>>): Errors {
  const field = `data[${key}]`;
  const encoded = data[key];
  if (encoded === undefined) return [required(field)];
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
    const isObject = typeof value === "object" && !Array.isArray(value);
    return when(!isObject, invalid(field, REDACTED, "must be a JSON object"));
  } catch (error) {
    // Parsers quote the text in their messages, and this text is secret.
    const name = error instanceof SyntaxError ? "invalid JSON" : "unreadable";
    return [invalid(field, REDACTED, name)];
  }
}

/** @spec ValidateSecretUpdate */
export function validateSecretChange(secret: V1Secret, old: V1Secret): Errors {
  return [
    ...when(secret.type !== old.type, invalid("type", secret.type, FIELD_IMMUTABLE)),
    ...sealed(secret, old, ["data"]),
  ];
}

function sealed<T extends { readonly immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): Errors {
  if (!old.immutable) return [];
  return [
    ...when(!object.immutable, forbidden("immutable", SEALED)),
    ...fields.flatMap((field) =>
      when(!equalSemantic(object[field], old[field]), forbidden(field, SEALED)),
    ),
  ];
}

function decodedBytes(base64: string): number {
  return Buffer.byteLength(base64, "base64");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
