import { parseTime, type Clock, type Instant } from "../base/clock.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Client } from "../client/client.ts";
import type { V1Pod } from "../gen/types.ts";
import { tokenKey, tokensOf, type TokenNeed } from "./volumes/payload.ts";

/** Part of its life after which a token is replaced. @spec k8s@1.36 pkg/kubelet/token/token_manager.go requiresRefresh */
const REFRESH_PART = 0.8;

/** A token is replaced after a day at the latest. @spec token_manager.go maxTTL */
const LIFE_MS_MAX = 24 * 3600 * 1000;

/** Wait after a token could not be renewed, in ms. Doubled, a server that comes back is asked that much later. */
const RETRY_MS = 10_000;

interface Token {
  readonly text: string;
  readonly refreshAt: Instant;
  readonly expiresAt: Instant;
}

/** The tokens of one Pod's volumes, and when the first of them must be replaced. */
export interface IssuedTokens {
  /** By `tokenKey`. */
  readonly texts: ReadonlyMap<string, string>;
  /** Absent: the Pod has none. */
  readonly refreshAt?: Instant;
}

/** Asks the API server for service account tokens bound to Pods, and keeps each until 80 % of its life is over. */
export class ServiceAccountTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Map<string, Token>>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** All tokens that the Pod's volumes need. @throws {StatusError} one was refused. */
  async forPod(pod: V1Pod): Promise<IssuedTokens> {
    const needs = (pod.spec?.volumes ?? []).flatMap(tokensOf);
    const tokens = await Promise.all(
      needs.map(async (need) => [tokenKey(need), await this.#token(pod, need)] as const),
    );
    const texts = new Map(tokens.map(([key, { text }]) => [key, text]));
    const refreshAt = Math.min(...tokens.map(([, token]) => token.refreshAt));
    return Number.isFinite(refreshAt) ? { texts, refreshAt } : { texts };
  }

  release(podUid: string): void {
    this.#tokens.delete(podUid);
  }

  async #token(pod: V1Pod, need: TokenNeed): Promise<Token> {
    const uid = pod.metadata?.uid ?? "";
    const own = this.#tokens.get(uid) ?? new Map<string, Token>();
    this.#tokens.set(uid, own);
    const known = own.get(tokenKey(need));
    const now = this.#clock.now();
    if (known && now < known.refreshAt) return known;
    const token = await this.#issue(pod, need, now).catch((error: unknown) => {
      if (!known || now >= known.expiresAt) throw error;
      return { ...known, refreshAt: now + RETRY_MS };
    });
    own.set(tokenKey(need), token);
    return token;
  }

  async #issue(
    { metadata, spec }: V1Pod,
    { audience, expirationSeconds }: TokenNeed,
    now: Instant,
  ): Promise<Token> {
    const name = spec?.serviceAccountName || "default";
    const request: TokenRequest = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: audience === "" ? [] : [audience],
        expirationSeconds,
        boundObjectRef: {
          apiVersion: "v1",
          kind: "Pod",
          name: metadata?.name ?? "",
          uid: metadata?.uid ?? "",
        },
      },
    };
    const answer = await this.#client.createSubresource<TokenRequest>(
      ServiceAccount,
      { namespace: metadata?.namespace ?? "", name },
      "token",
      request,
    );
    const { token = "", expirationTimestamp = "" } = answer.status ?? {};
    const expiresAt = parseTime(expirationTimestamp);
    const lifeMs = Math.min(expiresAt - now, LIFE_MS_MAX / REFRESH_PART);
    return { text: token, refreshAt: now + lifeMs * REFRESH_PART, expiresAt };
  }
}

/** @spec k8s@1.36 authentication/v1 TokenRequest */
interface TokenRequest extends KubeObject {
  readonly spec: {
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
    readonly boundObjectRef: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    };
  };
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}
