import { isIpv4, isIpv6 } from "../../api/strategy/ip.ts";

/**
 * Whether requests may be passed on to this address: loopback and link-local ones would be the API server's own host,
 * or its cloud's metadata.
 *
 * @spec k8s@1.36 pkg/proxy/util IsProxyableIP (Go's IP.IsGlobalUnicast)
 */
export function isReachable(address: string): boolean {
  if (isIpv4(address)) return isReachableIpv4(address);
  if (!isIpv6(address)) return false;
  const words = wordsOf(address);
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  if (isMapped) {
    const [high = 0, low = 0] = words.slice(6);
    return isReachableIpv4([high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  const [first = 0] = words;
  const isSpecial = words.slice(0, 7).every((word) => word === 0) && words[7]! <= 1;
  return !isSpecial && (first & 0xff00) !== 0xff00 && (first & 0xffc0) !== 0xfe80;
}

function isReachableIpv4(address: string): boolean {
  const [a = 0, b = 0] = address.split(".").map(Number);
  const isMulticast = a >= 224 && a <= 239;
  const isLinkLocal = a === 169 && b === 254;
  const isSingle = address === "0.0.0.0" || address === "255.255.255.255";
  return a !== 127 && !isLinkLocal && !isMulticast && !isSingle;
}

/** The eight 16-bit words of a valid IPv6 address. */
function wordsOf(address: string): readonly number[] {
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = (tail?.slice(1) ?? []).map(Number);
  const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
  const text = tail ? address.slice(0, tail.index) + `${hex(a, b)}:${hex(c, d)}` : address;
  const [left = "", right] = text.split("::");
  const numbers = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => parseInt(word, 16));
  const [head, end] = [numbers(left), numbers(right ?? "")];
  const gap = right === undefined ? 0 : 8 - head.length - end.length;
  return [...head, ...Array.from({ length: gap }, () => 0), ...end];
}
