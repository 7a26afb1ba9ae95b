/**
 * Amounts of a resource: `500m`, `1.5`, `128Mi`, `1e3`. Exact, in whole billionths, which is upstream's finest grain.
 *
 * Plain numbers are kept out of sums on purpose: 0.1 + 0.2 must be 300m. The hot readers (`quantityMillis`,
 * `quantityUnits`) do use them, on texts short enough to be exact.
 * @spec k8s@1.36 apimachinery api/resource/quantity.go, suffix.go, amount.go
 */
export interface Quantity {
  /** Billionths. */
  readonly nanos: bigint;
  /** Which suffixes the canonical text uses. */
  readonly format: QuantityFormat;
}

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** No quantity; the message is upstream's. The author of the object must mend it. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const WRONG_FORMAT =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_NUMBER = "unable to parse numeric part of quantity";
const WRONG_SUFFIX = "unable to parse quantity's suffix";

/** Characters. Longer ones only cost time; doubled, a bad one costs four times as much. */
const TEXT_LENGTH_MAX = 512;
/** Powers of ten; upstream has no bound, and there 1e1000000000 stops the server. Doubled: twice the digits to add up. */
const EXPONENT_MAX = 512;

const SYNTAX = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)$/;
const NANO = 1_000_000_000n;
const INT64_MAX = 2n ** 63n - 1n;
const ZERO: Quantity = { nanos: 0n, format: "DecimalSI" };

/** Suffix → base and exponent. */
const SUFFIXES: ReadonlyMap<string, Suffix> = new Map<string, Suffix>([
  ...["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].map((text, index): [string, Suffix] => [
    text,
    { base: 10, exponent: index * 3 - 9, format: "DecimalSI" },
  ]),
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((text, index): [string, Suffix] => [
    text,
    { base: 2, exponent: (index + 1) * 10, format: "BinarySI" },
  ]),
]);

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

/**
 * Reads a quantity; numbers of JSON are quantities too.
 *
 * Finer than a billionth is rounded away from zero: whoever asks for something gets something.
 * @throws {QuantityError}
 */
export function parseQuantity(input: string | number): Quantity {
  const text = String(input).trim();
  if (text === "0") return ZERO;
  if (text.length > TEXT_LENGTH_MAX) throw new QuantityError(WRONG_NUMBER);
  const match = text === "" ? null : SYNTAX.exec(text);
  if (!match) throw new QuantityError(WRONG_FORMAT);
  const [, sign, whole, fraction = "", suffixText] = match;
  const number = whole!.replace(/^0+/, "") || "0";
  const suffix = suffixOf(suffixText!);
  const nanos = toNanos(number + fraction, fraction.length, suffix);
  const isFine = suffix.format === "BinarySI" && nanos > 0n && nanos < NANO;
  return {
    nanos: sign === "-" ? -nanos : nanos,
    format: isFine ? "DecimalSI" : suffix.format,
  };
}

/** Why `input` is no quantity, in upstream's words; `undefined`: it is one. */
export function quantityProblem(input: string | number): string | undefined {
  try {
    parseQuantity(input);
    return undefined;
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

function suffixOf(text: string): Suffix {
  const known = SUFFIXES.get(text);
  if (known !== undefined) return known;
  const exponent = /^[eE][+-]?[0-9]+$/.test(text) ? Number(text.slice(1)) : Infinity;
  if (Math.abs(exponent) > EXPONENT_MAX) throw new QuantityError(WRONG_SUFFIX);
  return { base: 10, exponent, format: "DecimalExponent" };
}

function toNanos(digits: string, fractionDigits: number, suffix: Suffix): bigint {
  const value = BigInt(digits);
  const { base, exponent } = suffix;
  if (base === 2) {
    const nanos = divideUp(value * NANO * 2n ** BigInt(exponent), 10n ** BigInt(fractionDigits));
    // Upstream caps these alone. @spec quantity.go ParseQuantity, maxAllowed
    return nanos > INT64_MAX * NANO ? INT64_MAX * NANO : nanos;
  }
  const scale = exponent - fractionDigits + 9;
  return scale >= 0 ? value * 10n ** BigInt(scale) : divideUp(value, 10n ** BigInt(-scale));
}

/** The canonical text: an integer as small as its suffix allows, no loss of precision. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return "0";
  if (format === "BinarySI" && nanos % NANO === 0n && magnitude(nanos) >= 1024n * NANO)
    return formatBinary(nanos / NANO);
  return formatDecimal(nanos, format === "DecimalExponent");
}

/**
 * The canonical form of a quantity's text. Upstream does so with all amounts of resources; other quantities it keeps as
 * they were written, where that is nearly canonical (`1.500`).
 *
 * @throws {QuantityError}
 * @spec k8s@1.36 pkg/apis/core/v1 SetDefaults_ResourceList; Quantity.RoundUp
 */
export function canonicalQuantity(input: string | number): string {
  if (typeof input === "string" && isPlainlyCanonical(input)) return input;
  return formatQuantity(parseQuantity(input));
}

/** Without the digits that carry over to the next suffix, and too small for the largest amount. */
const PLAIN = /^(?:([1-9][0-9]{0,14})[mkMGTP]?|([1-9][0-9]{0,5})[KMGT]i)$/;

/** True for most quantities that people write (`100m`, `128Mi`); false says nothing. */
function isPlainlyCanonical(text: string): boolean {
  const match = PLAIN.exec(text);
  if (!match) return false;
  const [, decimal, binary] = match;
  return decimal === undefined ? Number(binary) % 1024 !== 0 : Number(decimal) % 1000 !== 0;
}

function formatBinary(units: bigint): string {
  let [value, power] = [units, 0];
  while (power < BINARY_TEXTS.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    power++;
  }
  return `${value}${BINARY_TEXTS[power]!}`;
}

function formatDecimal(nanos: bigint, isExponent: boolean): string {
  let [value, exponent] = [nanos, -9];
  while ((isExponent || exponent < 18) && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  if (isExponent) return exponent === 0 ? String(value) : `${value}e${exponent}`;
  return `${value}${DECIMAL_TEXTS[(exponent + 9) / 3]!}`;
}

const DECIMAL_TEXTS = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_TEXTS = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** −1, 0 or 1; formats do not matter. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** `a + b`, in `a`'s format unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** `a − b`, in `a`'s format unless `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** A whole number of units. */
export function quantityFromUnits(
  units: number | bigint,
  format: QuantityFormat = "DecimalSI",
): Quantity {
  return { nanos: BigInt(units) * NANO, format };
}

/** A whole number of thousandths. */
export function quantityFromMillis(
  millis: number | bigint,
  format: QuantityFormat = "DecimalSI",
): Quantity {
  return { nanos: BigInt(millis) * 1_000_000n, format };
}

/**
 * Thousandths, rounded away from zero: CPU as the scheduler and the kubelet count it.
 *
 * @bounds exact up to 2^53, nearest number above.
 * @throws {QuantityError}
 * @spec Quantity.MilliValue
 */
export function quantityMillis(input: string | number | Quantity): number {
  if (typeof input === "string") {
    const fast = FAST_DECIMAL.exec(input);
    if (fast) return Number(fast[1]) * (fast[2] === "m" ? 1 : 1000);
  }
  return Number(divideUp(nanosOf(input), 1_000_000n));
}

/**
 * Whole units, rounded away from zero: bytes of memory, counts of objects.
 *
 * @bounds exact up to 2^53 (8 PiB), nearest number above.
 * @throws {QuantityError}
 * @spec Quantity.Value
 */
export function quantityUnits(input: string | number | Quantity): number {
  if (typeof input === "string") {
    const fast = FAST_BINARY.exec(input);
    if (fast) return Number(fast[1]) * FAST_FACTORS[fast[2] ?? ""]!;
  }
  return Number(divideUp(nanosOf(input), NANO));
}

const FAST_DECIMAL = /^([0-9]{1,12})(m)?$/;
const FAST_BINARY = /^([0-9]{1,6})(Ki|Mi|Gi)?$/;
const FAST_FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

function nanosOf(input: string | number | Quantity): bigint {
  return typeof input === "object" ? input.nanos : parseQuantity(input).nanos;
}

/** Away from zero. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
