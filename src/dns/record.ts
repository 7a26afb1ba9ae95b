/** The record types that the cluster zone holds. */
export type RecordType = "A" | "AAAA" | "SRV" | "PTR" | "CNAME" | "SOA" | "NS" | "TXT";

/** One resource record. Names are lower-case, without the last dot. */
export type DnsRecord =
  | { readonly type: "A"; readonly name: string; readonly ttl: number; readonly data: string }
  | { readonly type: "AAAA"; readonly name: string; readonly ttl: number; readonly data: string }
  | {
      readonly type: "PTR" | "CNAME" | "NS";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
    }
  | { readonly type: "TXT"; readonly name: string; readonly ttl: number; readonly data: string }
  | { readonly type: "SRV"; readonly name: string; readonly ttl: number; readonly data: SrvData }
  | { readonly type: "SOA"; readonly name: string; readonly ttl: number; readonly data: SoaData };

export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

export interface Question {
  readonly name: string;
  readonly type: string;
}

/** What the zone says of a question. */
export interface Answer {
  readonly code: "NOERROR" | "NXDOMAIN" | "REFUSED" | "SERVFAIL";
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}
