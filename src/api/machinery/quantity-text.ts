/** What upstream says of text that is no quantity. @spec k8s@1.36 apimachinery api/resource quantity.go */
export const QUANTITY_FORMAT_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_MESSAGE = "unable to parse quantity's suffix";

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL).map(([suffix, power]) => [power, suffix]));

/** Values are kept in billionths, the smallest step of a quantity. Finer ones are rounded up, as upstream does. */
const NANO_DIGITS = 9;
const NANO = 10n ** BigInt(NANO_DIGITS);
/** A quantity of more digits than this is not exact upstream and is cut to the largest int64. */
const DIGITS_MAX = 18;
const VALUE_MAX = (2n ** 63n - 1n) * NANO;
/** Larger powers can only be mistakes; 10 to this power is far over every limit, and small enough to compute. */
const EXPONENT_MAX = 60;

type Format = "decimal" | "exponent" | "binary";

/** The one way to write a quantity: `1024Mi` is `1Gi`, `0.5` is `500m`. */
export type CanonicalQuantity =
  { readonly text: string } | { readonly text?: never; readonly message: string };

/** Brings the text of a quantity to its canonical form, or says what is wrong with it in upstream's words. */
export function canonicalQuantity(text: string): CanonicalQuantity {
  if (isCanonical(text)) return { text };
  const match = NUMBER.exec(text);
  if (!match) return { message: QUANTITY_FORMAT_MESSAGE };
  const [, sign, whole, fraction = "", suffix] = match as unknown as string[];
  if (whole === "" && fraction === "") return { message: QUANTITY_FORMAT_MESSAGE };
  const scale = parseSuffix(suffix!);
  if (!scale) return { message: SUFFIX_MESSAGE };
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const amount = nanos(digits === "" ? "0" : digits, fraction.length, scale);
  const isExact = scale.format !== "binary" && digits.length <= DIGITS_MAX;
  const capped = !isExact && amount > VALUE_MAX ? VALUE_MAX : amount;
  const shown = format(capped, scale.format);
  return { text: sign === "-" && capped !== 0n ? `-${shown}` : shown };
}

const PLAIN = /^([1-9]\d{0,14})(?:[mkMGTP]|([KMGTP]i))?$/;

/** True for most quantities that people write (`100m`, `128Mi`); false says nothing. */
function isCanonical(text: string): boolean {
  const match = PLAIN.exec(text);
  if (!match) return false;
  return Number(match[1]) % (match[2] === undefined ? 1000 : 1024) !== 0;
}

interface Scale {
  readonly format: Format;
  /** Of 10, or of 1024 for the binary format. */
  readonly power: number;
}

function parseSuffix(suffix: string): Scale | undefined {
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) return { format: "binary", power: binary };
  if (Object.hasOwn(DECIMAL, suffix)) return { format: "decimal", power: DECIMAL[suffix]! };
  if (!/^[eE][+-]?\d+$/.test(suffix)) return undefined;
  const power = Number(suffix.slice(1));
  return Math.abs(power) > EXPONENT_MAX ? undefined : { format: "exponent", power };
}

/** digits · 10^-fractionDigits · scale, in billionths, rounded up. */
function nanos(digits: string, fractionDigits: number, { format, power }: Scale): bigint {
  const factor = format === "binary" ? 1024n ** BigInt(power) : 1n;
  const shift = NANO_DIGITS - fractionDigits + (format === "binary" ? 0 : power);
  const value = BigInt(digits) * factor;
  if (shift >= 0) return value * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (value + divisor - 1n) / divisor;
}

function format(amount: bigint, wanted: Format): string {
  if (amount === 0n) return "0";
  const isBinary = wanted === "binary" && amount >= 1024n * NANO && amount % NANO === 0n;
  if (isBinary) return formatBinary(amount / NANO);
  let [value, power] = [amount, -NANO_DIGITS];
  while (value % 1000n === 0n && power < DECIMAL["E"]!) [value, power] = [value / 1000n, power + 3];
  if (wanted === "exponent") return power === 0 ? `${value}` : `${value}e${power}`;
  return `${value}${DECIMAL_SUFFIXES.get(power)!}`;
}

function formatBinary(amount: bigint): string {
  let [value, power] = [amount, 0];
  while (value % 1024n === 0n && power < BINARY.length - 1)
    [value, power] = [value / 1024n, power + 1];
  return `${value}${BINARY[power]!}`;
}
