import type { V1Binding } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type Binding = V1Binding;

export const Binding: Kind<Binding> = {
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  isNamespaced: true,
};

/** The old way to `pods/binding`: posted, carried out, never stored. @spec k8s@1.36 pkg/registry/core/pod/storage LegacyBindingREST */
export const bindingResource: Resource<Binding> = {
  kind: Binding,
  singular: "binding",
  verbs: ["create"],
  strategy: plainStrategy<Binding>(),
  columns: [],
};
