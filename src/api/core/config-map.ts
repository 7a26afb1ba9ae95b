import type { V1ConfigMap } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { validateConfigMap, validateConfigMapChange } from "./data-validation.ts";

export type ConfigMap = V1ConfigMap;

export const ConfigMap: Kind<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/configmap/strategy.go */
export const configMapResource: Resource<ConfigMap> = {
  kind: ConfigMap,
  singular: "configmap",
  shortNames: ["cm"],
  strategy: plainStrategy<ConfigMap>({
    validate: validateConfigMap,
    validateChange: validateConfigMapChange,
  }),
  columns: [
    nameColumn(),
    textColumn(
      "Data",
      "Number of keys",
      (object) =>
        Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    ),
    ageColumn(),
  ],
};
