import { LEGACY_ISSUER, serviceAccountUserName, type LegacyClaims } from "./token-claims.ts";
import { signToken, type SigningKey } from "./token-signature.ts";

/**
 * A token that a Secret holds: good as long as the Secret and the account are there.
 *
 * @spec k8s@1.36 pkg/serviceaccount/legacy.go LegacyClaims
 */
export function secretToken(
  subject: {
    readonly namespace: string;
    readonly secretName: string;
    readonly accountName: string;
    readonly accountUid: string;
  },
  key: SigningKey,
): string {
  const { namespace, secretName, accountName, accountUid } = subject;
  const claims: LegacyClaims = {
    iss: LEGACY_ISSUER,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secretName,
    "kubernetes.io/serviceaccount/service-account.name": accountName,
    "kubernetes.io/serviceaccount/service-account.uid": accountUid,
    sub: serviceAccountUserName(namespace, accountName),
  };
  return signToken(claims, key);
}
