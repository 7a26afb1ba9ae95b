const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** Whether the text is an IPv4 or IPv6 address, as Go's strict parser sees it (no leading zeros, no zone). */
export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Four decimal numbers. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** Eight groups of hexadecimal digits, `::` for a run of zeros, the last two groups perhaps as IPv4. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const all = groups.flat();
  const last = all.at(-1) ?? "";
  const hasIpv4Tail = last.includes(".");
  if (hasIpv4Tail && (!isIpv4(last) || (halves.length === 2 && halves[1] === ""))) return false;
  const plain = hasIpv4Tail ? all.slice(0, -1) : all;
  const count = plain.length + (hasIpv4Tail ? 2 : 0);
  if (!plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

/** An address and a prefix length: `10.0.0.0/8`. */
export function isCidr(text: string): boolean {
  const [address = "", prefix = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return false;
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1;
  return Number(prefix) <= bits;
}

/** The four numbers of an IPv4 address that text names; `undefined` for anything else. */
export function ipv4Octets(text: string): readonly number[] | undefined {
  return isIpv4(text) ? text.split(".").map(Number) : undefined;
}
