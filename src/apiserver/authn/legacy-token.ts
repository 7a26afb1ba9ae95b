import { LEGACY_ISSUER, serviceAccountUserName, type LegacyClaims } from "./token-claims.ts";
import { type SigningKey, signToken } from "./token-signature.ts";

/** Whose token it is, and which Secret holds it. */
export interface LegacyTokenSubject {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly secret: string;
}

/**
 * A token without an end: it holds as long as its Secret holds it and its account exists.
 *
 * @spec k8s@1.36 pkg/serviceaccount/legacy.go LegacyClaims
 */
export function signLegacyToken(subject: LegacyTokenSubject, key: SigningKey): string {
  const { namespace, account, accountUid, secret } = subject;
  const claims: LegacyClaims = {
    iss: LEGACY_ISSUER,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secret,
    "kubernetes.io/serviceaccount/service-account.name": account,
    "kubernetes.io/serviceaccount/service-account.uid": accountUid,
    sub: serviceAccountUserName(namespace, account),
  };
  return signToken(claims, key);
}
