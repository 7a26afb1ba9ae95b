/** An IPv4 range such as `10.96.0.0/16`, addresses as numbers. */
export interface AddressRange {
  readonly text: string;
  readonly base: number;
  readonly size: number;
}

/** @returns `undefined`: no IPv4 range. */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf("/");
  const base = parseAddress(text.slice(0, slash));
  const bits = Number(text.slice(slash + 1));
  if (slash < 0 || base === undefined || !Number.isInteger(bits) || bits < 0 || bits > 32)
    return undefined;
  const size = 2 ** (32 - bits);
  return { text, base: base - (base % size), size };
}

/** @returns `undefined`: no IPv4 address in the usual form. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    const byte = Number(part);
    if (part === "" || !Number.isInteger(byte) || byte < 0 || byte > 255) return undefined;
    if (String(byte) !== part) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** The inverse of {@link parseAddress}. */
export function formatAddress(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}
