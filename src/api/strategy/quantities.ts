/** A quantity in billionths, the finest step that the API has. */
export type Nanos = bigint;

const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, 0],
  u: [10n, 3],
  m: [10n, 6],
  "": [10n, 9],
  k: [10n, 12],
  M: [10n, 15],
  G: [10n, 18],
  T: [10n, 21],
  P: [10n, 24],
  E: [10n, 27],
};
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};
const NANOS = 10n ** 9n;
const FORMAT = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,3})|([a-zA-Z]{0,2}))$/;

/** Largest exponent that is taken: beyond it no quantity means anything, and the number would fill memory. */
const EXPONENT_MAX = 60;

/** The amount of a quantity such as `100m`, `1.5Gi`, `2e3`; `undefined` when it is none. */
export function parseQuantity(text: string | number): Nanos | undefined {
  const [, sign, whole = "", fraction = "", e, exponent, suffix = ""] =
    FORMAT.exec(String(text)) ?? [];
  if (sign === undefined || (whole === "" && fraction === "")) return undefined;
  const factor = e ? exponentFactor(Number(exponent)) : suffixFactor(suffix);
  if (factor === undefined) return undefined;
  const digits = BigInt(whole + fraction);
  const scale = 10n ** BigInt(fraction.length);
  const product = digits * factor.numerator;
  const divisor = scale * factor.denominator;
  const amount = (product + divisor - 1n) / divisor; // rounds up, as upstream does
  return sign === "-" ? -amount : amount;
}

interface Factor {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

function suffixFactor(suffix: string): Factor | undefined {
  const decimal = SUFFIXES[suffix];
  if (decimal) return { numerator: decimal[0] ** BigInt(decimal[1]), denominator: 1n };
  const binary = BINARY[suffix];
  return binary === undefined ? undefined : { numerator: binary * NANOS, denominator: 1n };
}

function exponentFactor(exponent: number): Factor | undefined {
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const power = 10n ** BigInt(Math.abs(exponent));
  return exponent < 0
    ? { numerator: NANOS, denominator: power }
    : { numerator: NANOS * power, denominator: 1n };
}

/** Less than nothing. */
export function isNegative(quantity: Nanos | undefined): boolean {
  return quantity !== undefined && quantity < 0n;
}

/** A number without a fraction. */
export function isWhole(quantity: Nanos): boolean {
  return quantity % NANOS === 0n;
}
