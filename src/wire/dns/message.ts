import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type Packet,
  type Question,
} from "dns-packet";

export type { Answer as WireRecord, Packet, Question as WireQuestion } from "dns-packet";

/** Response codes by name. @spec RFC 1035 4.1.1 */
const CODES: Readonly<Record<string, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};
/** What a client that says nothing of EDNS can take over UDP, in bytes. @spec RFC 1035 4.2.1 */
const UDP_BYTES_DEFAULT = 512;
/** Never more than this over UDP, in bytes: larger packets are cut into fragments that firewalls drop. */
const UDP_BYTES_MAX = 1232;

/** What a response holds besides its question. */
export interface ResponseParts {
  readonly code: string;
  readonly isAuthoritative: boolean;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

/** @returns `undefined` when the bytes are no DNS query. */
export function decodeQuery(bytes: Buffer): Packet | undefined {
  try {
    const packet = decode(bytes);
    return packet.type === "query" && (packet.questions?.length ?? 0) === 1 ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** @returns `undefined` when the bytes are no DNS response. */
export function decodeResponse(bytes: Buffer): Packet | undefined {
  try {
    const packet = decode(bytes);
    return packet.type === "response" ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** Encodes a response to `query`. Over UDP, one that does not fit is cut to its header, marked truncated. */
export function encodeResponse(query: Packet, parts: ResponseParts, isUdp: boolean): Buffer {
  const opt = query.additionals?.find((record) => record.type === "OPT");
  const flags =
    ((query.flags ?? 0) & RECURSION_DESIRED) |
    RECURSION_AVAILABLE |
    (parts.isAuthoritative ? AUTHORITATIVE_ANSWER : 0) |
    (CODES[parts.code] ?? CODES["SERVFAIL"]!);
  const head = { type: "response", id: query.id ?? 0, questions: query.questions ?? [] } as const;
  const edns: Answer[] = opt ? [ednsRecord()] : [];
  const whole = encode({
    ...head,
    flags,
    answers: [...(parts.answers ?? [])],
    authorities: [...(parts.authorities ?? [])],
    additionals: [...(parts.additionals ?? []), ...edns],
  });
  if (!isUdp || whole.length <= udpBytes(opt)) return whole;
  return encode({ ...head, flags: flags | TRUNCATED_RESPONSE, additionals: edns });
}

/** Encodes a query that asks for recursion. */
export function encodeQuery(id: number, question: Question): Buffer {
  return encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [question],
    additionals: [ednsRecord()],
  });
}

/** The response code's name. */
export function codeOf(packet: Packet): string {
  const number = (packet.flags ?? 0) & 0xf;
  return Object.keys(CODES).find((name) => CODES[name] === number) ?? "SERVFAIL";
}

/** True when a response was cut because it did not fit. */
export function isTruncated(packet: Packet): boolean {
  return ((packet.flags ?? 0) & TRUNCATED_RESPONSE) !== 0;
}

function udpBytes(opt: Answer | undefined): number {
  const offered = (opt as { readonly udpPayloadSize?: number } | undefined)?.udpPayloadSize ?? 0;
  return Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_DEFAULT, offered));
}

function ednsRecord(): Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: UDP_BYTES_MAX,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
