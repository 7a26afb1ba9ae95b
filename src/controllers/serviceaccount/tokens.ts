import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/** The type of Secrets that hold a long-lived token. */
export const TOKEN_TYPE = "kubernetes.io/service-account-token";
/** How such a Secret names its account. */
export const ANNOTATION_NAME = "kubernetes.io/service-account.name";
export const ANNOTATION_UID = "kubernetes.io/service-account.uid";

/** What a token in a Secret says: whose it is, and where it lies. */
export interface SecretTokenSubject {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly secret: string;
}

/** What the controller needs of its cluster. */
export interface SecretTokenSettings {
  /** PEM: what `ca.crt` holds. */
  readonly caCertificates: string;
  /** Signs a token that holds as long as its Secret and its account. */
  readonly issue: (subject: SecretTokenSubject) => string;
}

export interface Observed {
  readonly secret: Secret;
  /** The account that the Secret names, if that very one exists. */
  readonly account: ServiceAccount | undefined;
  /** A new token, where the Secret has none. */
  readonly token?: string;
}

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` with a token, the cluster's CA and their namespace; removes
 * those whose account is gone or was made anew.
 *
 * @spec k8s@1.36 pkg/controller/serviceaccount/tokens_controller.go
 */
export function serviceAccountTokens(settings: SecretTokenSettings): Controller<Secret, Observed> {
  return defineController<Secret, Observed>({
    name: "serviceaccount-token-secret-controller",
    primary: Secret,
    triggers: [
      {
        kind: ServiceAccount,
        keys: ({ key }, cache) =>
          cache
            .list(Secret, { namespace: key.namespace, where: (one) => accountOf(one) === key.name })
            .map(({ metadata }) => ({ namespace: key.namespace, name: metadata?.name ?? "" })),
      },
    ],
    observe(cache, key) {
      const secret = cache.get(Secret, key);
      const name = secret && accountOf(secret);
      if (!secret || name === undefined) return undefined;
      const found = cache.get(ServiceAccount, { namespace: key.namespace, name });
      const account = isOf(secret, found) ? found : undefined;
      if (!account || secret.data?.["token"]) return { secret, account };
      const accountUid = account.metadata?.uid ?? "";
      const subject = { namespace: key.namespace, account: name, accountUid, secret: key.name };
      return { secret, account, token: settings.issue(subject) };
    },
    plan: (observed) => plan(observed, settings.caCertificates),
  });
}

/** Pure; see {@link serviceAccountTokens}. */
export function plan({ secret, account, token }: Observed, caCertificates: string): Plan {
  const { name = "", namespace = "", uid = "" } = secret.metadata ?? {};
  if (isBeingDeleted(secret)) return {};
  if (!account)
    return {
      writes: [{ verb: "delete", kind: Secret, key: { namespace, name }, ifUid: uid }],
    };
  const data = secret.data ?? {};
  const missing = {
    ...(data["ca.crt"] === encoded(caCertificates) ? {} : { "ca.crt": encoded(caCertificates) }),
    ...(data["namespace"] ? {} : { namespace: encoded(namespace) }),
    ...(token === undefined ? {} : { token: encoded(token) }),
  };
  if (Object.keys(missing).length === 0) return {};
  const annotations = {
    ...secret.metadata?.annotations,
    [ANNOTATION_NAME]: account.metadata?.name ?? "",
    [ANNOTATION_UID]: account.metadata?.uid ?? "",
  };
  const object: Secret = {
    ...secret,
    metadata: { ...secret.metadata, annotations },
    data: { ...data, ...missing },
  };
  return { writes: [{ verb: "update", kind: Secret, object }] };
}

/** The account that a token Secret names. `undefined`: not a Secret of this kind. */
export function accountOf({ type, metadata }: Secret): string | undefined {
  return type === TOKEN_TYPE ? metadata?.annotations?.[ANNOTATION_NAME] : undefined;
}

/** True when the Secret is for this very account: one of the same name that was made later is another. */
export function isOf({ metadata }: Secret, account: ServiceAccount | undefined): boolean {
  const uid = metadata?.annotations?.[ANNOTATION_UID];
  return account !== undefined && (!uid || uid === account.metadata?.uid);
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}
