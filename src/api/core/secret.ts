import type { V1Secret } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { fill, plainStrategy, withField } from "../strategy/strategy.ts";
import { validateSecret, validateSecretChange } from "./data-validation.ts";

export type Secret = V1Secret;

export const Secret: Kind<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/secret/strategy.go */
export const secretResource: Resource<Secret> = {
  kind: Secret,
  singular: "secret",
  strategy: plainStrategy<Secret>({
    withDefaults,
    validate: validateSecret,
    validateChange: validateSecretChange,
  }),
  columns: [
    nameColumn(),
    textColumn("Type", "What the secret is for", (object) => object.type ?? ""),
    textColumn("Data", "Number of keys", (object) => Object.keys(object.data ?? {}).length),
    ageColumn(),
  ],
  selectableFields: { type: (object) => object.type ?? "" },
};

/** `stringData` is for writing only: it becomes `data`, and wins over it. */
function withDefaults(secret: Secret): Secret {
  const typed = fill(secret, { type: "Opaque" });
  if (typed.stringData === undefined) return typed;
  const encoded = Object.entries(typed.stringData).map(([key, value]) => [
    key,
    Buffer.from(value, "utf8").toString("base64"),
  ]);
  const data = { ...typed.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  return { ...withField(typed, "stringData", undefined), data };
}
