import { duplicate, invalid, required, tooLong } from "../machinery/field-error.ts";
import {
  LABEL_BYTES_MAX,
  validateDnsSubdomain,
  validateQualifiedName,
} from "../machinery/names.ts";
import { invalids, when, type Errors } from "../strategy/checks.ts";

/** Parameters of one class, and bytes of all of them. @spec k8s@1.36 pkg/apis/storage/validation */
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES_MAX = 256 * 1024;

/** The name of a CSI driver. @spec k8s@1.36 pkg/apis/core/validation ValidateCSIDriverName */
export function validateDriverName(name: string, field: string): Errors {
  return [
    ...when(name === "", required(field)),
    ...when(Buffer.byteLength(name) > LABEL_BYTES_MAX, tooLong(field, LABEL_BYTES_MAX)),
    ...invalids(field, name, validateDnsSubdomain(name.toLowerCase())),
  ];
}

/** Who makes volumes: a driver, or one of the names from before drivers. @spec validateProvisioner */
export function validateProvisioner(name: string, field: string): Errors {
  if (name === "") return [required(field)];
  return invalids(field, name.toLowerCase(), validateQualifiedName(name.toLowerCase()));
}

/** @spec validateParameters */
export function validateParameters(
  parameters: Readonly<Record<string, string>>,
  field: string,
): Errors {
  const entries = Object.entries(parameters);
  if (entries.length > PARAMETERS_MAX) return [tooLong(field, PARAMETERS_MAX)];
  return [
    ...when("" in parameters, invalid(field, "", "field can not be empty.")),
    ...when(bytesOf(entries) > PARAMETERS_BYTES_MAX, tooLong(field, PARAMETERS_BYTES_MAX)),
  ];
}

/** Bytes of all keys and values. */
export function bytesOf(entries: readonly (readonly [string, string])[]): number {
  return entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
}

/** Keys of node labels, each once. Upstream names the driver and not the key as the field. @spec validateCSINodeDriver */
export function validateTopologyKeys(keys: readonly string[], field: string): Errors {
  return keys.flatMap((key, index) => [
    ...when(key === "", required(field)),
    ...when(keys.indexOf(key) < index, duplicate(field, key)),
    ...invalids(field, key, validateQualifiedName(key)),
  ]);
}
