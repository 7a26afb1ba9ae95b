import type { V1Secret } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

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
  strategy: plainStrategy<Secret>(),
  columns: [
    nameColumn(),
    textColumn("Type", "What the secret is for", (object) => object.type ?? ""),
    textColumn("Data", "Number of keys", (object) => Object.keys(object.data ?? {}).length),
    ageColumn(),
  ],
  selectableFields: { type: (object) => object.type ?? "" },
};
