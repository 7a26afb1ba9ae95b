import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock, Instant } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import {
  codeOf,
  decodeResponse,
  encodeQuery,
  isTruncated,
  type Packet,
  type ResponseParts,
  type WireQuestion,
} from "./message.ts";

/** A resolver gets this long to answer, in ms, before the next one is asked. */
const RESOLVER_MS_MAX = 900;
/** Whoever asked gets SERVFAIL after this long, in ms, whatever happens: clients give up after 5 s and start over. */
const QUESTION_MS_MAX = 1_900;
/** Answers kept; the oldest goes first. About 1 kB each. */
const CACHE_ENTRIES_MAX = 2_000;
/** No answer is kept longer than this, in s, whatever its TTL. @spec CoreDNS cache 30 */
const CACHE_SECONDS_MAX = 30;
/** Questions under way at once. More get SERVFAIL at once, so that a dead resolver cannot fill memory. */
const PENDING_MAX = 1_000;

/** No resolver answered in time, or there is none. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

interface Kept {
  readonly parts: ResponseParts;
  readonly at: Instant;
  readonly until: Instant;
}

/** Asks other DNS servers, in order, and keeps what they say for as long as they allow. */
export class DnsForwarder {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #resolvers: readonly string[];
  readonly #kept = new Map<string, Kept>();
  readonly #pending = new Map<string, Promise<ResponseParts>>();

  /** `resolvers`: IPv4 addresses, in the order of preference. */
  constructor(clock: Clock, random: Random, resolvers: readonly string[]) {
    this.#clock = clock;
    this.#random = random;
    this.#resolvers = resolvers;
  }

  /** @throws {NoAnswer} at most QUESTION_MS_MAX from now. */
  async ask(question: WireQuestion): Promise<ResponseParts> {
    const key = `${question.name.toLowerCase()} ${question.type}`;
    const kept = this.#kept.get(key);
    if (kept && kept.until > this.#clock.now()) return aged(kept, this.#clock.now());
    const pending = this.#pending.get(key);
    if (pending) return pending;
    if (this.#pending.size >= PENDING_MAX) throw new NoAnswer("too many questions are under way");
    const asking = this.#askAll(question)
      .then((packet) => this.#keep(key, packet))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, asking);
    return asking;
  }

  async #askAll(question: WireQuestion): Promise<Packet> {
    const until = this.#clock.monotonic() + QUESTION_MS_MAX;
    for (const resolver of this.#resolvers) {
      const leftMs = Math.min(RESOLVER_MS_MAX, until - this.#clock.monotonic());
      if (leftMs <= 0) break;
      try {
        const packet = await this.#askUdp(resolver, question, leftMs);
        if (!isTruncated(packet)) return packet;
        return await this.#askTcp(resolver, question, Math.max(1, until - this.#clock.monotonic()));
      } catch {
        continue; // the next resolver may know
      }
    }
    throw new NoAnswer(`no resolver answered for ${question.name}`);
  }

  #askUdp(resolver: string, question: WireQuestion, waitMs: number): Promise<Packet> {
    const id = this.#random.integer(65_536);
    const socket = createSocket("udp4");
    return this.#within(
      waitMs,
      () => socket.close(),
      (resolve, reject) => {
        socket.on("error", reject);
        socket.on("message", (bytes) => {
          const packet = decodeResponse(bytes);
          if (packet && isAnswerTo(packet, id, question)) resolve(packet);
        });
        socket.connect(53, resolver, () => socket.send(encodeQuery(id, question)));
      },
    );
  }

  #askTcp(resolver: string, question: WireQuestion, waitMs: number): Promise<Packet> {
    const id = this.#random.integer(65_536);
    const socket = connect({ host: resolver, port: 53 });
    return this.#within(
      waitMs,
      () => socket.destroy(),
      (resolve, reject) => {
        let buffered = Buffer.alloc(0);
        socket.on("error", reject);
        socket.on("connect", () => {
          const query = encodeQuery(id, question);
          const head = Buffer.alloc(2);
          head.writeUInt16BE(query.length);
          socket.write(Buffer.concat([head, query]));
        });
        socket.on("data", (part: Buffer) => {
          buffered = Buffer.concat([buffered, part]);
          if (buffered.length < 2 || buffered.length < 2 + buffered.readUInt16BE(0)) return;
          const packet = decodeResponse(buffered.subarray(2));
          if (packet && isAnswerTo(packet, id, question)) resolve(packet);
          else reject(new NoAnswer("malformed answer"));
        });
      },
    );
  }

  #within(
    waitMs: number,
    end: () => void,
    begin: (resolve: (packet: Packet) => void, reject: (error: Error) => void) => void,
  ): Promise<Packet> {
    return new Promise<Packet>((resolve, reject) => {
      const timer = this.#clock.after(waitMs, () => reject(new NoAnswer("no answer in time")));
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          timer.cancel();
          then(value);
        };
      begin(settle(resolve), settle(reject));
    }).finally(end);
  }

  #keep(key: string, packet: Packet): ResponseParts {
    const parts: ResponseParts = {
      code: codeOf(packet),
      isAuthoritative: false,
      answers: packet.answers ?? [],
      authorities: packet.authorities ?? [],
      additionals: (packet.additionals ?? []).filter((record) => record.type !== "OPT"),
    };
    const seconds = secondsToKeep(parts);
    if (seconds > 0) {
      this.#kept.delete(key);
      const now = this.#clock.now();
      this.#kept.set(key, { parts, at: now, until: now + seconds * 1000 });
      if (this.#kept.size > CACHE_ENTRIES_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    }
    return parts;
  }
}

function isAnswerTo(packet: Packet, id: number, question: WireQuestion): boolean {
  const asked = packet.questions?.[0];
  return (
    packet.id === id &&
    asked?.name.toLowerCase() === question.name.toLowerCase() &&
    asked.type === question.type
  );
}

function secondsToKeep({ code, answers = [], authorities = [] }: ResponseParts): number {
  if (code !== "NOERROR" && code !== "NXDOMAIN") return 0;
  const records = answers.length > 0 ? answers : authorities;
  const ttls = records.flatMap((record) =>
    "ttl" in record && record.ttl !== undefined ? [record.ttl] : [],
  );
  return ttls.length === 0 ? 0 : Math.min(CACHE_SECONDS_MAX, ...ttls);
}

/** TTLs count down while an answer is kept. */
function aged({ parts, at }: Kept, now: Instant): ResponseParts {
  const passed = Math.floor((now - at) / 1000);
  const age = <R extends object>(record: R): R =>
    "ttl" in record ? { ...record, ttl: Math.max(0, Number(record.ttl) - passed) } : record;
  return {
    ...parts,
    answers: (parts.answers ?? []).map(age),
    authorities: (parts.authorities ?? []).map(age),
  };
}
