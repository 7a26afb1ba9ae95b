/** Suffixes of a quantity as factors. @spec apimachinery api/resource suffix.go */
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity as a plain number: what cgroups and mount options take. 0 for absent and for text that validation refuses. */
export function amountOf(quantity: string | undefined): number {
  const match = /^([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+)|([numkMGTPE]i?|[KMGTPE]i)?)$/.exec(
    quantity ?? "",
  );
  if (!match) return 0;
  const [, digits, exponent, suffix] = match;
  const factor = exponent === undefined ? (FACTORS[suffix ?? ""] ?? 0) : 10 ** Number(exponent);
  return Number(digits) * factor;
}

/** Thousandths, rounded up as upstream's MilliValue does. */
export function milliOf(quantity: string | undefined): number {
  return Math.ceil(roundNoise(amountOf(quantity) * 1000));
}

/** Whole units, rounded up as upstream's Value does. */
export function wholeOf(quantity: string | undefined): number {
  return Math.ceil(roundNoise(amountOf(quantity)));
}

/** Takes away what binary fractions add: 0.1 × 1000 is 100, not 100.00000000000001. */
function roundNoise(value: number): number {
  return Number(value.toPrecision(15));
}
