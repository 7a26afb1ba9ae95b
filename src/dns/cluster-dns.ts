import { Service } from "../api/core/service.ts";
import { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import type { Cache } from "../client/cache.ts";
import type { DnsForwarder } from "../wire/dns/forwarder.ts";
import type { Packet, ResponseParts, WireRecord } from "../wire/dns/message.ts";
import { answer } from "./answer.ts";
import type { DnsRecord } from "./record.ts";
import { buildZoneIndex, type ZoneIndex } from "./zone-index.ts";

/** Longest chain of CNAMEs that is followed for a client. */
const ALIASES_MAX = 8;

/** What answers come from. */
export interface ClusterDnsOptions {
  readonly cache: Cache;
  readonly forwarder: DnsForwarder;
  /** `cluster.local` */
  readonly domain: string;
}

/**
 * Answers the questions of a node's pods: cluster names from the caches, all others through the forwarder.
 *
 * The index is built on the first question after a change, so a burst of changes costs one.
 */
export class ClusterDns {
  readonly #options: ClusterDnsOptions;
  #index: ZoneIndex | undefined;

  constructor(options: ClusterDnsOptions) {
    this.#options = options;
  }

  /** Resolves when all Services known to the server are known here. */
  async start(): Promise<void> {
    const { cache } = this.#options;
    for (const kind of [Service, EndpointSlice]) {
      cache.onChange(kind, () => (this.#index = undefined));
      await cache.sync(kind);
    }
  }

  /** Answers one query; never rejects for a cluster name. */
  async handle(query: Packet): Promise<ResponseParts> {
    const question = query.questions![0]!;
    const found = answer(this.#zone(), this.#options.domain, question);
    if (!found) return this.#options.forwarder.ask(question);
    const answers = found.answers.map(wireRecord);
    const alias = found.answers.find((record) => record.type === "CNAME");
    const resolved =
      alias && question.type !== "CNAME"
        ? await this.#follow(alias.data as string, question.type)
        : [];
    return {
      code: found.code,
      isAuthoritative: true,
      answers: [...answers, ...resolved],
      authorities: found.authorities.map(wireRecord),
      additionals: found.additionals.map(wireRecord),
    };
  }

  #zone(): ZoneIndex {
    const { cache } = this.#options;
    return (this.#index ??= buildZoneIndex(cache.list(Service), cache.list(EndpointSlice)));
  }

  /** The records of an ExternalName's target, so that simple resolvers need not ask again. */
  async #follow(target: string, type: string): Promise<readonly WireRecord[]> {
    const found: WireRecord[] = [];
    let name = target;
    for (let count = 0; count < ALIASES_MAX; count++) {
      const question = { name, type } as Packet["questions"] extends (infer Q)[] | undefined
        ? Q
        : never;
      const local = answer(this.#zone(), this.#options.domain, { name, type });
      if (local) found.push(...local.answers.map(wireRecord));
      else {
        const outside = await this.#options.forwarder.ask(question).catch(() => undefined);
        return [...found, ...(outside?.answers ?? [])];
      }
      const next = local.answers.find((record) => record.type === "CNAME");
      if (!next) return found;
      name = next.data as string;
    }
    return found;
  }
}

function wireRecord(record: DnsRecord): WireRecord {
  return { class: "IN", ...record } as WireRecord;
}
