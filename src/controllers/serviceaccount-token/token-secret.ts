import { keyOf } from "../../api/machinery/object.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { ACCOUNT_UID, accountNameOf, isFor, tokenSecretsOf } from "./token-secrets.ts";

/** Who is to be named in a token that a Secret holds. */
export interface TokenSubject {
  readonly namespace: string;
  readonly secretName: string;
  readonly accountName: string;
  readonly accountUid: string;
}

/** Signs a token without expiration. An effect: two calls give two signatures. */
export type SignSecretToken = (subject: TokenSubject) => string;

/** `token`: a fresh one, when the Secret has none. */
export interface Observed {
  readonly secret: Secret;
  readonly account: ServiceAccount | undefined;
  readonly token: string | undefined;
}

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` with token, CA and namespace, and deletes those whose
 * account is gone.
 *
 * @param caCertificates PEM.
 * @spec k8s@1.36 pkg/controller/serviceaccount/tokens_controller.go syncSecret, generateTokenIfNeeded
 */
export function tokenSecretController(
  caCertificates: string,
  sign: SignSecretToken,
): Controller<Secret, Observed> {
  return defineController<Secret, Observed>({
    name: "serviceaccount-token-secret-controller",
    primary: Secret,
    triggers: [
      {
        kind: ServiceAccount,
        keys: ({ key }, cache) => tokenSecretsOf(cache, key.namespace, key.name).map(keyOf),
      },
    ],
    observe(cache, key) {
      const secret = cache.get(Secret, key);
      const name = secret && accountNameOf(secret);
      if (!secret || name === undefined) return undefined;
      const account = cache.get(ServiceAccount, { namespace: key.namespace, name });
      const isWanted = !secret.data?.["token"] && account && isFor(secret, account);
      const subject = {
        namespace: key.namespace,
        secretName: key.name,
        accountName: name,
        accountUid: account?.metadata?.uid ?? "",
      };
      return { secret, account, token: isWanted ? sign(subject) : undefined };
    },
    plan: (observed) => plan(observed, caCertificates),
  });
}

/** Pure; see {@link tokenSecretController}. */
export function plan({ secret, account, token }: Observed, caCertificates: string): Plan {
  if (isBeingDeleted(secret)) return {};
  const { uid = "", annotations, namespace = "" } = secret.metadata ?? {};
  if (!account || !isFor(secret, account))
    return { writes: [{ verb: "delete", kind: Secret, key: keyOf(secret), ifUid: uid }] };
  const accountUid = account.metadata?.uid ?? "";
  const ca = base64(caCertificates);
  const data = {
    ...secret.data,
    "ca.crt": ca,
    ...(token !== undefined && { token: base64(token) }),
    ...(!secret.data?.["namespace"] && { namespace: base64(namespace) }),
  };
  const isRight =
    annotations?.[ACCOUNT_UID] === accountUid &&
    Object.entries(data).every(([key, value]) => secret.data?.[key] === value);
  if (isRight) return {};
  const metadata = {
    ...secret.metadata,
    annotations: { ...annotations, [ACCOUNT_UID]: accountUid },
  };
  const object: Secret = { ...secret, metadata, data };
  return { writes: [{ verb: "update", kind: Secret, object }] };
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
