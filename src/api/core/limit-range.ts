import type { V1LimitRange, V1LimitRangeItem } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { defaultColumns } from "../strategy/columns.ts";
import { mapField, mapItems, plainStrategy, withField } from "../strategy/strategy.ts";
import { validateLimitRange } from "./limit-range-validation.ts";

export type LimitRange = V1LimitRange;

export const LimitRange: Kind<LimitRange> = {
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/limitrange/strategy.go */
export const limitRangeResource: Resource<LimitRange> = {
  kind: LimitRange,
  singular: "limitrange",
  shortNames: ["limits"],
  strategy: plainStrategy<LimitRange>({
    withDefaults: (object) =>
      mapField(object, "spec", (spec) =>
        mapField(spec, "limits", (limits) => mapItems(limits, withItemDefaults)),
      ),
    validate: validateLimitRange,
    allowsCreateOnUpdate: true,
  }),
  columns: defaultColumns(),
};

/** What containers get by default follows from the bounds. @spec k8s@1.36 pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem */
function withItemDefaults(item: V1LimitRangeItem): V1LimitRangeItem {
  if (item.type !== "Container") return item;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  return withField(
    withField(item, "default", isEmpty(limits) ? item.default : limits),
    "defaultRequest",
    isEmpty(requests) ? item.defaultRequest : requests,
  );
}

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}
