import { Secret } from "../../api/core/secret.ts";
import type { ServiceAccount } from "../../api/core/service-account.ts";
import type { CacheReader } from "../../client/cache.ts";

/** The type of Secrets that hold a long-lived token of an account. */
export const TOKEN_TYPE = "kubernetes.io/service-account-token";
/** The annotations by which such a Secret names its account. */
export const ACCOUNT_NAME = "kubernetes.io/service-account.name";
export const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** The account that a token Secret is for; `undefined`: it holds no token of any account. */
export function accountNameOf({ type, metadata }: Secret): string | undefined {
  return type === TOKEN_TYPE ? metadata?.annotations?.[ACCOUNT_NAME] : undefined;
}

/** True when the Secret is for this very account, not for an earlier one of its name. */
export function isFor(secret: Secret, account: ServiceAccount): boolean {
  const uid = secret.metadata?.annotations?.[ACCOUNT_UID];
  return (
    accountNameOf(secret) === account.metadata?.name &&
    (uid === undefined || uid === "" || uid === account.metadata?.uid)
  );
}

/** The token Secrets of a namespace that name this account, an earlier one of its name included. */
export function tokenSecretsOf(
  cache: CacheReader,
  namespace: string,
  accountName: string,
): readonly Secret[] {
  return cache
    .list(Secret, { namespace })
    .filter((secret) => accountNameOf(secret) === accountName);
}
