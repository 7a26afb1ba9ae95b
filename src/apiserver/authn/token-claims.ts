import type { Instant } from "../../base/clock.ts";
import { isRecord } from "./token-signature.ts";

/** Names one object that a token is bound to. */
export interface BoundReference {
  readonly name: string;
  readonly uid?: string;
}

/** What a bound service-account token says. @spec k8s@1.36 pkg/serviceaccount/claims.go */
export interface TokenClaims {
  readonly aud: readonly string[];
  /** Seconds since 1970, like all times in tokens. */
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly node?: BoundReference;
    readonly pod?: BoundReference;
    readonly secret?: BoundReference;
    readonly serviceaccount: BoundReference;
    readonly warnafter?: number;
  };
  readonly nbf: number;
  readonly sub: string;
}

/** What a long-lived token out of a Secret says; the Secret holds the token itself. @spec k8s@1.36 pkg/serviceaccount/legacy.go */
export interface LegacyClaims {
  readonly iss: typeof LEGACY_ISSUER;
  readonly "kubernetes.io/serviceaccount/namespace": string;
  readonly "kubernetes.io/serviceaccount/secret.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.uid": string;
  readonly sub: string;
}

/** The issuer of tokens in Secrets of type `kubernetes.io/service-account-token`. */
export const LEGACY_ISSUER = "kubernetes/serviceaccount";

/** Clocks of two servers may differ by this much. @spec go-jose DefaultLeeway */
export const LEEWAY_MS = 60_000;

/** `system:serviceaccount:NAMESPACE:NAME` */
export function serviceAccountUserName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The groups of every service account, without `system:authenticated`. */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** The account behind a user name; `undefined`: no service account's. */
export function parseServiceAccountUser(
  user: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const parts = user.split(":");
  const [system, kind, namespace, name] = parts;
  const isOne = parts.length === 4 && system === "system" && kind === "serviceaccount";
  return isOne && namespace && name ? { namespace, name } : undefined;
}

/** `undefined`: these are not the claims of a bound token. */
export function parseTokenClaims(
  claims: Readonly<Record<string, unknown>>,
): TokenClaims | undefined {
  const bound = claims["kubernetes.io"];
  if (!isRecord(bound) || !isReference(bound["serviceaccount"])) return undefined;
  const references = [bound["pod"], bound["secret"], bound["node"]];
  if (!references.every((one) => one === undefined || isReference(one))) return undefined;
  const numbers = [claims["exp"], claims["nbf"], claims["iat"]];
  if (!numbers.every((one) => typeof one === "number" && Number.isFinite(one))) return undefined;
  const audiences = [claims["aud"]].flat();
  const texts = [claims["iss"], claims["sub"], bound["namespace"], ...audiences];
  if (!texts.every((one) => typeof one === "string")) return undefined;
  const jti = typeof claims["jti"] === "string" ? claims["jti"] : "";
  return { ...claims, aud: audiences, jti } as unknown as TokenClaims;
}

/** `undefined`: these are not the claims of a token in a Secret. */
export function parseLegacyClaims(
  claims: Readonly<Record<string, unknown>>,
): LegacyClaims | undefined {
  const prefix = "kubernetes.io/serviceaccount/";
  const keys = ["namespace", "secret.name", "service-account.name", "service-account.uid"];
  const isComplete =
    claims["iss"] === LEGACY_ISSUER &&
    typeof claims["sub"] === "string" &&
    keys.every((key) => typeof claims[prefix + key] === "string");
  return isComplete ? (claims as unknown as LegacyClaims) : undefined;
}

/** Why a token does not hold at `now`; upstream's words. */
export function timeProblem(claims: TokenClaims, now: Instant): string | undefined {
  if (now - LEEWAY_MS > claims.exp * 1000) return "service account token has expired";
  if (now + LEEWAY_MS < claims.nbf * 1000) return "service account token is not valid yet";
  return undefined;
}

function isReference(value: unknown): value is BoundReference {
  if (!isRecord(value) || typeof value["name"] !== "string") return false;
  return value["uid"] === undefined || typeof value["uid"] === "string";
}
