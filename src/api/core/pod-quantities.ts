import type { V1PodSpec } from "../../gen/types.ts";
import {
  parseQuantity,
  quantityFromMillis,
  quantityFromUnits,
  quantityProblem,
  type Quantity,
} from "../machinery/quantity.ts";
import type { Amounts } from "./pod-requests.ts";

/** Amounts of a Pod as quantities, in the units that its author chose: `1Gi` is not told as `1073741824`. */
export function podQuantities(
  { resources, containers = [], initContainers = [] }: V1PodSpec,
  amounts: Amounts,
  list: "requests" | "limits",
): ReadonlyMap<string, Quantity> {
  const parts = [{ resources }, ...containers, ...initContainers];
  const found = [...amounts].map(([name, amount]): [string, Quantity] => {
    const text = parts.map((part) => part.resources?.[list]?.[name]).find((one) => one);
    const format = text && !quantityProblem(text) ? parseQuantity(text).format : "DecimalSI";
    return [
      name,
      name === "cpu" ? quantityFromMillis(amount, format) : quantityFromUnits(amount, format),
    ];
  });
  return new Map(found);
}
