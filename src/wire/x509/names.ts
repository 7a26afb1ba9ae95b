import { isIP } from "node:net";
import {
  BadDer,
  children,
  element,
  type Element,
  expectTag,
  oid,
  readAll,
  readOid,
  sequence,
  TAG,
} from "./der.ts";

const OID_COMMON_NAME = "2.5.4.3";
const OID_ORGANIZATION = "2.5.4.10";

/** Context tags of GeneralName. @spec RFC 5280 section 4.2.1.6 */
const EMAIL = 0x81;
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;

/** The parts of a distinguished name that Kubernetes reads: user and groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** The names a serving certificate is good for. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  /** In the form of {@link canonicalIp}. */
  readonly ips: readonly string[];
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
}

/** A distinguished name: organizations, then the common name, as upstream's tools order them. */
export function encodeSubject(subject: Subject): Buffer {
  const attribute = (type: string, text: string): Buffer =>
    element(TAG.set, sequence(oid(type), element(TAG.utf8String, Buffer.from(text))));
  return sequence(
    ...subject.organizations.map((text) => attribute(OID_ORGANIZATION, text)),
    attribute(OID_COMMON_NAME, subject.commonName),
  );
}

/** @throws {BadDer} */
export function readSubject(name: Element | undefined): Subject {
  let commonName = "";
  const organizations: string[] = [];
  for (const set of children(name)) {
    for (const pair of children(set, TAG.set)) {
      const [type, value] = children(pair);
      const text = value?.content.toString("utf8") ?? "";
      const typeText = readOid(type);
      if (typeText === OID_COMMON_NAME) commonName = text;
      if (typeText === OID_ORGANIZATION) organizations.push(text);
    }
  }
  return { commonName, organizations };
}

/** The value of a subjectAltName extension. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer {
  const texts = (tag: number, list: readonly string[] = []): Buffer[] =>
    list.map((text) => element(tag, Buffer.from(text, "latin1")));
  return sequence(
    ...texts(DNS_NAME, names.dnsNames),
    ...texts(EMAIL, names.emails),
    ...names.ips.map((ip) => element(IP_ADDRESS, ipBytes(ip))),
    ...texts(URI, names.uris),
  );
}

/** Other forms of name are left out. @throws {BadDer} */
export function readAlternativeNames(value: Buffer): AlternativeNames {
  const names = readAll(expectTag(readAll(value)[0], TAG.sequence).content);
  const texts = (tag: number): string[] =>
    names.filter((name) => name.tag === tag).map((name) => name.content.toString("latin1"));
  const [emails, uris] = [texts(EMAIL), texts(URI)];
  return {
    dnsNames: texts(DNS_NAME),
    ips: names.filter((name) => name.tag === IP_ADDRESS).map((name) => ipText(name.content)),
    ...(emails.length > 0 && { emails }),
    ...(uris.length > 0 && { uris }),
  };
}

/** One spelling per address: lower case, IPv6 compressed. @throws {BadDer} no address. */
export function canonicalIp(ip: string): string {
  return ipText(ipBytes(ip));
}

function ipBytes(ip: string): Buffer {
  const version = isIP(ip);
  if (version === 4) return Buffer.from(ip.split(".").map(Number));
  if (version !== 6) throw new BadDer(`not an IP address: ${ip}`);
  // The URL parser turns every IPv6 spelling, dotted tails included, into hexadecimal groups.
  const text = new URL(`http://[${ip.split("%")[0]}]`).hostname.slice(1, -1);
  const [before = "", after] = text.split("::");
  const groups = (part: string | undefined): string[] => (part ? part.split(":") : []);
  const [head, tail] = [groups(before), groups(after)];
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  const all = [...head, ...zeros, ...tail].map((group) => group.padStart(4, "0"));
  return Buffer.from(all.join(""), "hex");
}

function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join(".");
  if (bytes.length !== 16) throw new BadDer("an IP address has 4 or 16 bytes");
  const groups = bytes.toString("hex").match(/..../g)!;
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
