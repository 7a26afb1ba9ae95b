import { equalJson } from "../../api/machinery/equality.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { createObject } from "../verbs/create.ts";
import { updateObject } from "../verbs/update.ts";
import { systemCall } from "./system-call.ts";

/** How pods reach this server. */
export interface Advertised {
  readonly address: string;
  readonly port: number;
  /** The first address of the service range. */
  readonly clusterIp: string;
}

const NAME = { name: "kubernetes", namespace: "default" };
const PORT = { name: "https", protocol: "TCP" };

/**
 * Makes the `kubernetes` Service and its endpoints what they should be. Does nothing when they are.
 *
 * @spec k8s@1.36 pkg/controlplane/controller/kubernetesservice; pkg/controlplane/reconcilers
 */
export async function ensureKubernetesService(
  parts: ServerParts,
  advertised: Advertised,
): Promise<void> {
  for (const [plural, object] of objectsFor(advertised)) {
    const [group, version] = plural === "endpointslices" ? ["discovery.k8s.io", "v1"] : ["", "v1"];
    if (parts.resources.find(group!, version!, plural))
      await ensure(parts, group!, version!, plural, object);
  }
}

function objectsFor({ address, port, clusterIp }: Advertised): readonly [string, KubeObject][] {
  const service = {
    metadata: { ...NAME, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ports: [{ ...PORT, port: 443, targetPort: port }],
    },
  };
  const endpoints = {
    metadata: { ...NAME, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ ...PORT, port }] }],
  };
  const slice = {
    metadata: { ...NAME, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ ...PORT, port }],
  };
  return [
    ["services", service],
    ["endpoints", endpoints],
    ["endpointslices", slice],
  ];
}

/** Creates the object, or sets the fields that `wanted` names where they differ. */
async function ensure(
  parts: ServerParts,
  group: string,
  version: string,
  plural: string,
  wanted: KubeObject,
): Promise<void> {
  const { name, namespace } = NAME;
  const call = (verb: string): ReturnType<typeof systemCall> =>
    systemCall(parts, { group, version, plural, verb, namespace, name });
  const { served } = call("get");
  const present = served.cache.get(`${namespace}/${name}`)?.object;
  if (!present) {
    const creation = call("create");
    await createObject(parts, creation, conformed(parts, creation, served, wanted));
    return;
  }
  const { metadata, ...fields } = wanted;
  const labels = { ...present.metadata?.labels, ...metadata?.labels };
  const merged = { ...present, ...fields, metadata: { ...present.metadata, labels } };
  const isSame = Object.entries(fields).every(([field, value]) =>
    equalJson((present as Readonly<Record<string, unknown>>)[field], value),
  );
  if (isSame && equalJson(present.metadata?.labels, labels)) return;
  const update = call("update");
  const object = conformed(parts, update, served, merged);
  await updateObject(parts, update, { wanted: () => object });
}
