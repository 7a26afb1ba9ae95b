import { DaemonSet } from "../../../src/api/apps/daemon-set.ts";
import type { V1Container, V1DaemonSet, V1PodTemplateSpec } from "../../../src/gen/types.ts";
import { anyImage, anyTemplate } from "./pod-shape.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "apps/daemonsets";

/** What users do with DaemonSets. */
export const daemonSetSteps: readonly Step[] = [
  { name: "create a DaemonSet", weight: 4, run: create },
  { name: "give a DaemonSet another image", weight: 5, run: withImage },
  { name: "delete a DaemonSet", weight: 3, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  const selector = { matchLabels: { app, set: "each" } };
  return scene.client.create(DaemonSet, {
    metadata: { name: `${app}-each`, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      selector,
      template: small({ ...anyTemplate(scene, app), metadata: { labels: selector.matchLabels } }),
      updateStrategy: scene.oneOf(
        { type: "OnDelete" },
        { type: "RollingUpdate" },
        { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "50%" } },
        { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      ),
      ...(scene.isLucky(20) && { minReadySeconds: 3 }),
    },
  });
}

/** Daemons ask for nothing, ports of the node neither, or nodes would have no room for the rest. */
function small(template: V1PodTemplateSpec): V1PodTemplateSpec {
  const containers = template.spec!.containers.map(
    ({ resources: _, ...container }): V1Container => ({
      ...container,
      ports: [{ name: "http", containerPort: 80 }],
    }),
  );
  return { ...template, spec: { ...template.spec!, containers } };
}

async function withImage(scene: Scene): Promise<unknown> {
  const set = scene.anyOf<V1DaemonSet>(RESOURCE);
  if (!set) return;
  const { name } = set.spec!.template.spec!.containers[0]!;
  const template = { spec: { containers: [{ name, image: anyImage(scene) }] } };
  const body = { metadata: { annotations: scene.marked() }, spec: { template } };
  return scene.client.patch(DaemonSet, placeOf(set), { type: "strategic", body });
}

async function remove(scene: Scene): Promise<unknown> {
  const set = scene.anyOf<V1DaemonSet>(RESOURCE);
  if (!set) return;
  const propagation = scene.oneOf("Orphan", "Background", "Foreground");
  return scene.client.delete(DaemonSet, placeOf(set), { propagation });
}
