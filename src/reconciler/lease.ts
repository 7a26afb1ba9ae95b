import { formatMicroTime, parseTime, sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import { Lease } from "../api/coordination/lease.ts";
import type { Client } from "../client/client.ts";

/** How long others wait for a silent leader. @spec component-base DefaultLeaseDuration. Doubling doubles a failover. */
const LEASE_MS = 15_000;
/** A leader that could not renew for this long steps down. Must be below LEASE_MS, or two lead at once. */
const RENEW_DEADLINE_MS = 10_000;
/** Between two tries. */
const RETRY_MS = 2_000;

export interface LeaseTerms {
  readonly namespace: string;
  readonly name: string;
  /** Unique for each process that runs for it. */
  readonly identity: string;
}

/**
 * One candidate in the election over a coordination/v1 Lease.
 *
 * Flow: acquire when free, expired or our own; renew every RETRY_MS; step down when that fails for RENEW_DEADLINE_MS.
 * Guarantees: at most one leads, given clocks that run equally fast (not: that agree).
 * Assumptions: expiry is measured by our own clock, from when we saw the record change.
 * Caveats: what the leader has sent before it stepped down may still be on its way.
 * @spec k8s@1.36 client-go tools/leaderelection
 */
export class LeaseElection {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #terms: LeaseTerms;
  #observed: { readonly text: string; readonly atMs: number } | undefined;

  constructor(client: Client, clock: Clock, random: Random, logger: Logger, terms: LeaseTerms) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#terms = terms;
  }

  /**
   * Waits to lead, leads, and returns when leadership was lost or `signal` aborts; then it was given back.
   *
   * `lead` is given a signal that aborts when leadership ends.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#tryOnce())) await this.#pause(signal);
    if (signal.aborted) return;
    const term = new AbortController();
    const end = (): void => term.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#logger.info("leading", { lease: this.#terms.name });
    const work = lead(term.signal);
    await this.#renew(term.signal);
    term.abort();
    signal.removeEventListener("abort", end);
    await work;
    await this.#release();
  }

  async #renew(signal: AbortSignal): Promise<void> {
    let renewedMs = this.#clock.monotonic();
    while (!signal.aborted) {
      await this.#pause(signal);
      if (signal.aborted) return;
      if (await this.#tryOnce()) renewedMs = this.#clock.monotonic();
      else if (this.#clock.monotonic() - renewedMs > RENEW_DEADLINE_MS) {
        return this.#logger.warning("leadership lost", { lease: this.#terms.name });
      }
    }
  }

  /** Up to a fifth longer than RETRY_MS, so that candidates do not run in step. */
  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#clock, RETRY_MS + this.#random.integer(RETRY_MS / 5), signal).catch(
      () => {},
    );
  }

  async #tryOnce(): Promise<boolean> {
    try {
      return await this.#acquireOrRenew();
    } catch (error) {
      if (!isStatusError(error, "Conflict") && !isStatusError(error, "AlreadyExists")) {
        this.#logger.info("lease not renewed", { lease: this.#terms.name, error: String(error) });
      }
      return false;
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const lease = await this.#read();
    const now = formatMicroTime(this.#clock.now());
    const { identity, namespace, name } = this.#terms;
    if (!lease) {
      const spec = this.#spec(now, now, 0);
      await this.#client.create(Lease, { metadata: { namespace, name }, spec });
      return true;
    }
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = lease.spec ?? {};
    const isOurs = holderIdentity === identity;
    if (!isOurs && holderIdentity && !this.#isExpired(lease)) return false;
    const spec = this.#spec(
      isOurs ? acquireTime : now,
      now,
      isOurs ? leaseTransitions : leaseTransitions + 1,
    );
    await this.#client.update(Lease, { ...lease, spec: { ...lease.spec, ...spec } });
    return true;
  }

  #spec(
    acquireTime: string,
    renewTime: string,
    leaseTransitions: number,
  ): NonNullable<Lease["spec"]> {
    return {
      holderIdentity: this.#terms.identity,
      leaseDurationSeconds: LEASE_MS / 1000,
      acquireTime,
      renewTime,
      leaseTransitions,
    };
  }

  #isExpired(lease: Lease): boolean {
    const { holderIdentity = "", renewTime = "", leaseDurationSeconds } = lease.spec ?? {};
    const text = `${holderIdentity} ${renewTime}`;
    const nowMs = this.#clock.monotonic();
    if (this.#observed?.text !== text) this.#observed = { text, atMs: nowMs };
    if (Number.isNaN(parseTime(renewTime))) return true;
    return nowMs - this.#observed.atMs > (leaseDurationSeconds ?? 0) * 1000;
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return await this.#client.get(Lease, this.#terms);
    } catch (error) {
      if (isStatusError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** Gives the lease back, so that the next one need not wait for its end. */
  async #release(): Promise<void> {
    try {
      const lease = await this.#read();
      if (lease?.spec?.holderIdentity !== this.#terms.identity) return;
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 };
      await this.#client.update(Lease, { ...lease, spec });
    } catch (error) {
      this.#logger.info("lease not released", { lease: this.#terms.name, error: String(error) });
    }
  }
}
