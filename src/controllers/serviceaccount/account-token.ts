import { Namespace } from "../../api/core/namespace.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted, reads } from "../../reconciler/ownership.ts";
import { accountOf, ANNOTATION_NAME, ANNOTATION_UID, isOf, TOKEN_TYPE } from "./tokens.ts";

/** `tokens`: the Secrets with tokens that name the account. */
export interface Observed {
  readonly account: ServiceAccount;
  readonly namespace: Namespace | undefined;
  readonly tokens: readonly Secret[];
}

/**
 * Keeps a Secret with a token for every ServiceAccount, named in its `secrets`, as releases before 1.24 did and the
 * tools of their time expect. What a Pod mounts is another token, bound to the Pod and short-lived.
 *
 * @spec k8s@1.20 pkg/controller/serviceaccount/tokens_controller.go ensureReferencedToken
 */
export const accountTokenController = defineController<ServiceAccount, Observed>({
  name: "serviceaccount-token-controller",
  primary: ServiceAccount,
  triggers: [
    {
      kind: Secret,
      keys: ({ key, object, old }) => {
        const secret = object ?? old;
        const name = secret && accountOf(secret);
        return name === undefined ? [] : [{ namespace: key.namespace, name }];
      },
    },
    reads(Namespace),
  ],
  observe(cache, key) {
    const account = cache.get(ServiceAccount, key);
    const namespace = cache.get(Namespace, { namespace: "", name: key.namespace });
    const where = (secret: Secret): boolean => accountOf(secret) === key.name;
    const tokens = cache.list(Secret, { namespace: key.namespace, where });
    return account && { account, namespace, tokens };
  },
  plan,
});

/** Pure; see {@link accountTokenController}. */
export function plan({ account, namespace, tokens }: Observed): Plan {
  if (isBeingDeleted(account) || !namespace || isBeingDeleted(namespace)) return {};
  const prefix = `${account.metadata?.name}-token-`;
  const live = tokens.filter((secret) => isOf(secret, account) && !isBeingDeleted(secret));
  const names = new Set(live.map(({ metadata }) => metadata?.name));
  const references = account.secrets ?? [];
  // One that we made and that is gone: what else a user lists there is not ours to judge.
  const kept = references.filter(({ name = "" }) => !name.startsWith(prefix) || names.has(name));
  if (kept.some(({ name }) => names.has(name)))
    return kept.length === references.length ? {} : update(account, kept);
  const made = live.find(({ metadata }) => metadata?.name?.startsWith(prefix));
  if (made) return update(account, [...kept, { name: made.metadata?.name ?? "" }]);
  return { writes: [{ verb: "create", kind: Secret, object: tokenSecret(account, prefix) }] };
}

function update(account: ServiceAccount, secrets: NonNullable<ServiceAccount["secrets"]>): Plan {
  const object: ServiceAccount = { ...account, secrets };
  return { writes: [{ verb: "update", kind: ServiceAccount, object }] };
}

function tokenSecret({ metadata }: ServiceAccount, generateName: string): Secret {
  const annotations = {
    [ANNOTATION_NAME]: metadata?.name ?? "",
    [ANNOTATION_UID]: metadata?.uid ?? "",
  };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { generateName, namespace: metadata?.namespace ?? "", annotations },
    type: TOKEN_TYPE,
  };
}
