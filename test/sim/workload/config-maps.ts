import { ConfigMap } from "../../../src/api/core/config-map.ts";
import type { V1ConfigMap } from "../../../src/gen/types.ts";
import { FINALIZER, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "configmaps";

/** What users do with ConfigMaps: `settings` is what Pods read. */
export const configMapSteps: readonly Step[] = [
  { name: "create a ConfigMap", weight: 6, run: create },
  { name: "replace a ConfigMap", weight: 6, run: replace },
  { name: "delete a ConfigMap", weight: 3, run: remove },
  { name: "let a ConfigMap go", weight: 2, run: letGo },
];

async function create(scene: Scene): Promise<unknown> {
  return scene.client.create(ConfigMap, {
    metadata: {
      name: scene.oneOf("settings", "notes"),
      namespace: scene.namespace(),
      annotations: scene.marked(),
      ...(scene.isLucky(15) && { finalizers: [FINALIZER] }),
    },
    data: { value: String(scene.random.integer(1000)) },
  });
}

function anyOwn(scene: Scene, where: (map: V1ConfigMap) => boolean): V1ConfigMap | undefined {
  const isOwn = ({ metadata }: V1ConfigMap): boolean => metadata!.name !== "kube-root-ca.crt";
  return scene.anyOf<V1ConfigMap>(RESOURCE, (map) => isOwn(map) && where(map));
}

/** Sometimes only if nobody else did meanwhile. */
async function replace(scene: Scene): Promise<unknown> {
  const known = anyOwn(scene, () => true);
  if (!known) return;
  const { name, namespace, resourceVersion, finalizers } = known.metadata!;
  return scene.client.update(ConfigMap, {
    metadata: {
      name: name!,
      namespace: namespace!,
      annotations: scene.marked(),
      ...(finalizers && { finalizers }),
      ...(scene.isLucky(60) && { resourceVersion: resourceVersion! }),
    },
    data: { value: String(scene.random.integer(1000)) },
  });
}

async function remove(scene: Scene): Promise<unknown> {
  const known = anyOwn(scene, () => true);
  return known && scene.client.delete(ConfigMap, placeOf(known));
}

async function letGo(scene: Scene): Promise<unknown> {
  const known = anyOwn(scene, ({ metadata }) => (metadata!.finalizers ?? []).length > 0);
  if (!known) return;
  const body = { metadata: { annotations: scene.marked(), finalizers: null } };
  return scene.client.patch(ConfigMap, placeOf(known), { type: "merge", body });
}
