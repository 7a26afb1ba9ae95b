/**
 * The number that `3` or `"25%"` means of `total`. Anything else counts as 0: validation has refused it.
 *
 * @spec k8s@1.36 apimachinery util/intstr GetScaledValueFromIntOrPercent
 */
export function scaledValue(
  value: number | string | undefined,
  total: number,
  rounding: "up" | "down",
): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value ?? "")?.[1];
  if (percent === undefined) return 0;
  const exact = (Number(percent) * total) / 100;
  return rounding === "up" ? Math.ceil(exact) : Math.floor(exact);
}
