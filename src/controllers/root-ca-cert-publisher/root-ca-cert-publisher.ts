import { ConfigMap } from "../../api/core/config-map.ts";
import { Namespace } from "../../api/core/namespace.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

const NAME = "kube-root-ca.crt";
const ANNOTATIONS = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or " +
    "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};

export interface Observed {
  readonly namespace: Namespace;
  readonly published: ConfigMap | undefined;
}

/**
 * Keeps the cluster's CA certificate in a ConfigMap of every namespace, where Pods mount it from.
 *
 * @param caCertificates PEM.
 * @spec k8s@1.36 pkg/controller/certificates/rootcacertpublisher
 */
export function rootCaCertPublisher(caCertificates: string): Controller<Namespace, Observed> {
  return defineController<Namespace, Observed>({
    name: "root-ca-certificate-publisher-controller",
    primary: Namespace,
    triggers: [
      {
        kind: ConfigMap,
        keys: ({ key }) => (key.name === NAME ? [{ namespace: "", name: key.namespace }] : []),
      },
    ],
    observe(cache, key) {
      const namespace = cache.get(Namespace, key);
      const published = cache.get(ConfigMap, { namespace: key.name, name: NAME });
      return namespace && { namespace, published };
    },
    plan: (observed) => plan(observed, caCertificates),
  });
}

/** Pure; see {@link rootCaCertPublisher}. */
export function plan({ namespace, published }: Observed, caCertificates: string): Plan {
  if (isBeingDeleted(namespace)) return {};
  const data = { "ca.crt": caCertificates };
  if (!published) {
    const metadata = {
      name: NAME,
      namespace: namespace.metadata?.name ?? "",
      annotations: ANNOTATIONS,
    };
    const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    return { writes: [{ verb: "create", kind: ConfigMap, object }] };
  }
  const annotations = { ...published.metadata?.annotations, ...ANNOTATIONS };
  const isRight =
    equalStored(published.data, data) && equalStored(published.metadata?.annotations, annotations);
  if (isRight || isBeingDeleted(published)) return {};
  const object = { ...published, metadata: { ...published.metadata, annotations }, data };
  return { writes: [{ verb: "update", kind: ConfigMap, object }] };
}
