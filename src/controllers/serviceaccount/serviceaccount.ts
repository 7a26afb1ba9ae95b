import { Namespace } from "../../api/core/namespace.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/** The account that Pods get when they name none. */
const NAME = "default";

export interface Observed {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
}

/**
 * Keeps a ServiceAccount `default` in every namespace.
 *
 * @spec k8s@1.36 pkg/controller/serviceaccount/serviceaccounts_controller.go
 */
export const serviceAccountController = defineController<Namespace, Observed>({
  name: "serviceaccount-controller",
  primary: Namespace,
  triggers: [
    {
      kind: ServiceAccount,
      keys: ({ key, object }) =>
        key.name === NAME && !object ? [{ namespace: "", name: key.namespace }] : [],
    },
  ],
  observe(cache, key) {
    const namespace = cache.get(Namespace, key);
    const account = cache.get(ServiceAccount, { namespace: key.name, name: NAME });
    return namespace && { namespace, account };
  },
  plan,
});

/** Pure; see {@link serviceAccountController}. */
export function plan({ namespace, account }: Observed): Plan {
  if (account || isBeingDeleted(namespace)) return {};
  const metadata = { name: NAME, namespace: namespace.metadata?.name ?? "" };
  const object: ServiceAccount = { apiVersion: "v1", kind: "ServiceAccount", metadata };
  return { writes: [{ verb: "create", kind: ServiceAccount, object, mayExist: true }] };
}
