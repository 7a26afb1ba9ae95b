import type { Clock, Instant } from "../../base/clock.ts";
import { formatTime, parseTime } from "../../base/clock.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../../api/machinery/object.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { UserInfo } from "../request.ts";
import { cached } from "./cached-kinds.ts";
import {
  type BoundReference,
  LEEWAY_MS,
  type LegacyClaims,
  parseLegacyClaims,
  parseTokenClaims,
  serviceAccountGroups,
  serviceAccountUserName,
  timeProblem,
  type TokenClaims,
} from "./token-claims.ts";
import { type SigningKey, verifiedClaims } from "./token-signature.ts";

/** Tokens whose signature is remembered. Some 2 kB each; doubling doubles that, and serves that many more clients. */
const REMEMBERED_MAX = 4096;

/** A token that holds: whose it is, and whom it is for. */
export interface VerifiedToken {
  /** The same object as long as the token is remembered: decisions may be remembered by it. */
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

type Remembered = VerifiedToken &
  (
    | { readonly kind: "bound"; readonly claims: TokenClaims }
    | { readonly kind: "legacy"; readonly claims: LegacyClaims; readonly token: string }
  );

export interface TokenVerifierOptions {
  readonly issuer: string;
  /** The first one signs; all are accepted. */
  readonly keys: readonly SigningKey[];
  /** What tokens without audiences of their own (those in Secrets) count as. */
  readonly apiAudiences: readonly string[];
  /** Told once a day of each Secret whose token is used: `2026-01-31`. */
  readonly onSecretUsed?: (secret: ObjectKey, day: string) => void;
}

/** On a Secret: the day on which its token was used last. @spec KEP-2799 */
export const LABEL_LAST_USED = "kubernetes.io/legacy-token-last-used";
/** On a Secret: its token does not hold any more, unless the label is taken away. @spec KEP-2800 */
const LABEL_INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

/**
 * Verifies service-account tokens, those of TokenRequest and those in Secrets.
 *
 * Remembers only that a signature is good; time, account and bound objects are looked at on every call, in memory. So
 * the end of a Pod ends its token at once, where upstream's cache lets it live 10 s more; refusals are not remembered.
 * @bounds REMEMBERED_MAX tokens, the oldest forgotten first.
 * @spec k8s@1.36 pkg/serviceaccount/jwt.go, claims.go, legacy.go
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #cache: CacheReader;
  readonly #clock: Clock;
  /** By the token itself: hashing it once more would cost more than the lookup. */
  readonly #remembered = new Map<string, Remembered>();
  /** By Secret: the day of its last use that was told. */
  readonly #noted = new Map<string, string>();

  constructor(options: TokenVerifierOptions, cache: CacheReader, clock: Clock) {
    this.#options = options;
    this.#cache = cache;
    this.#clock = clock;
  }

  /** `undefined`: the token is none of ours, or does not hold any more. */
  verify(token: string): VerifiedToken | undefined {
    const known = this.#remembered.get(token) ?? this.#readToken(token);
    if (!known) return undefined;
    const now = this.#clock.now();
    const problem =
      known.kind === "bound"
        ? (timeProblem(known.claims, now) ?? this.#boundProblem(known.claims, now))
        : this.#legacyProblem(known.claims, known.token, now);
    if (problem === undefined) return known;
    this.#remembered.delete(token);
    return undefined;
  }

  #readToken(token: string): Remembered | undefined {
    const raw = verifiedClaims(token, this.#options.keys);
    const known = raw && (this.#readBound(raw) ?? this.#readLegacy(raw, token));
    if (!known) return undefined;
    if (this.#remembered.size >= REMEMBERED_MAX) {
      const [oldest] = this.#remembered.keys();
      this.#remembered.delete(oldest!);
    }
    this.#remembered.set(token, known);
    return known;
  }

  #readBound(raw: Readonly<Record<string, unknown>>): Remembered | undefined {
    if (raw["iss"] !== this.#options.issuer) return undefined;
    const claims = parseTokenClaims(raw);
    return claims && { kind: "bound", claims, user: userOf(claims), audiences: claims.aud };
  }

  #readLegacy(raw: Readonly<Record<string, unknown>>, token: string): Remembered | undefined {
    const claims = parseLegacyClaims(raw);
    if (!claims) return undefined;
    const namespace = claims["kubernetes.io/serviceaccount/namespace"];
    const user = {
      name: serviceAccountUserName(
        namespace,
        claims["kubernetes.io/serviceaccount/service-account.name"],
      ),
      uid: claims["kubernetes.io/serviceaccount/service-account.uid"],
      groups: [...serviceAccountGroups(namespace), "system:authenticated"],
    };
    return { kind: "legacy", claims, token, user, audiences: this.#options.apiAudiences };
  }

  #boundProblem(claims: TokenClaims, now: Instant): string | undefined {
    const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
    const gone = (kind: Kind, reference: BoundReference | undefined, scope = namespace): boolean =>
      reference !== undefined && !this.#isAlive(kind, scope, reference, now);
    if (gone(cached.serviceAccount, serviceaccount)) return "service account is gone";
    const isInvalidated =
      gone(cached.pod, pod) ||
      gone(cached.secret, secret) ||
      (pod === undefined && gone(cached.node, node, ""));
    return isInvalidated ? "service account token has been invalidated" : undefined;
  }

  #legacyProblem(claims: LegacyClaims, token: string, now: Instant): string | undefined {
    const namespace = claims["kubernetes.io/serviceaccount/namespace"];
    const account = this.#cache.get(cached.serviceAccount, {
      namespace,
      name: claims["kubernetes.io/serviceaccount/service-account.name"],
    });
    const secret = this.#cache.get(cached.secret, {
      namespace,
      name: claims["kubernetes.io/serviceaccount/secret.name"],
    });
    const uid = claims["kubernetes.io/serviceaccount/service-account.uid"];
    if (account?.metadata?.uid !== uid || account.metadata.deletionTimestamp !== undefined)
      return "service account is gone";
    const { labels, deletionTimestamp } = secret?.metadata ?? {};
    const held = Buffer.from(secret?.data?.["token"] ?? "", "base64").toString("latin1");
    const isInvalid = labels?.[LABEL_INVALID_SINCE] !== undefined;
    if (held !== token || deletionTimestamp !== undefined || isInvalid)
      return "service account token has been invalidated";
    const name = claims["kubernetes.io/serviceaccount/secret.name"];
    this.#noteUse({ namespace, name }, labels?.[LABEL_LAST_USED], now);
    return undefined;
  }

  #noteUse(secret: ObjectKey, noted: string | undefined, now: Instant): void {
    const day = formatTime(now).slice(0, 10);
    const key = formatKey(secret);
    if (noted === day || this.#noted.get(key) === day) return;
    if (this.#noted.size >= REMEMBERED_MAX) this.#noted.clear();
    this.#noted.set(key, day);
    this.#options.onSecretUsed?.(secret, day);
  }

  #isAlive(kind: Kind, namespace: string, reference: BoundReference, now: Instant): boolean {
    const object: KubeObject | undefined = this.#cache.get(kind, {
      namespace,
      name: reference.name,
    });
    if (!object || object.metadata?.uid !== reference.uid) return false;
    const deleted = object.metadata?.deletionTimestamp;
    return deleted === undefined || parseTime(deleted) >= now - LEEWAY_MS;
  }
}

function userOf(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
  const prefix = "authentication.kubernetes.io/";
  const extra = {
    ...(claims.jti ? { [`${prefix}credential-id`]: [`JTI=${claims.jti}`] } : {}),
    ...(node ? { [`${prefix}node-name`]: [node.name] } : {}),
    ...(node?.uid ? { [`${prefix}node-uid`]: [node.uid] } : {}),
    ...(pod ? { [`${prefix}pod-name`]: [pod.name], [`${prefix}pod-uid`]: [pod.uid ?? ""] } : {}),
  };
  return {
    name: serviceAccountUserName(namespace, serviceaccount.name),
    uid: serviceaccount.uid ?? "",
    groups: [...serviceAccountGroups(namespace), "system:authenticated"],
    extra,
  };
}
