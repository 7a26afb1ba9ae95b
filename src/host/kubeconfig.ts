import { parse, stringify } from "yaml";

/** What a kubeconfig needs to know of one cluster and its user. PEM texts. */
export interface ClusterAccess {
  /** Name of the cluster, the user and the context. */
  readonly name: string;
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

interface Named {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** The parts of a kubeconfig that we touch; everything else is kept as it is. */
interface Kubeconfig {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly clusters?: readonly Named[] | null;
  readonly users?: readonly Named[] | null;
  readonly contexts?: readonly Named[] | null;
  readonly "current-context"?: string;
  readonly [key: string]: unknown;
}

/** A kubeconfig that holds one cluster alone, its certificates embedded. */
export function kubeconfigText(access: ClusterAccess): string {
  return mergeKubeconfig("", access);
}

/**
 * Adds or replaces one cluster in a kubeconfig and selects it.
 *
 * @throws {Error} the text is no kubeconfig.
 */
export function mergeKubeconfig(text: string, access: ClusterAccess): string {
  const config = read(text);
  const { name } = access;
  const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    ...config,
    clusters: replaced(config.clusters, {
      name,
      cluster: { "certificate-authority-data": base64(access.ca), server: access.server },
    }),
    users: replaced(config.users, {
      name,
      user: {
        "client-certificate-data": base64(access.certificate),
        "client-key-data": base64(access.key),
      },
    }),
    contexts: replaced(config.contexts, { name, context: { cluster: name, user: name } }),
    "current-context": name,
  } satisfies Kubeconfig);
}

/** Takes one cluster out again; deselects it when it was selected. */
export function withoutCluster(text: string, name: string): string {
  const config = read(text);
  const others = (list: readonly Named[] | null | undefined): readonly Named[] =>
    (list ?? []).filter((entry) => entry.name !== name);
  return stringify({
    ...config,
    clusters: others(config.clusters),
    users: others(config.users),
    contexts: others(config.contexts),
    "current-context": config["current-context"] === name ? "" : (config["current-context"] ?? ""),
  });
}

function replaced(list: readonly Named[] | null | undefined, entry: Named): readonly Named[] {
  return [...(list ?? []).filter((other) => other.name !== entry.name), entry];
}

function read(text: string): Kubeconfig {
  const config: unknown = parse(text) ?? {};
  if (typeof config !== "object" || Array.isArray(config))
    throw new Error("expected a kubeconfig: a YAML mapping with clusters, users and contexts");
  return config as Kubeconfig;
}
