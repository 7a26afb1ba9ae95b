import { StatefulSet } from "../../../src/api/apps/stateful-set.ts";
import type { V1StatefulSet, V1StatefulSetUpdateStrategy } from "../../../src/gen/types.ts";
import { anyClaims } from "./claims.ts";
import { anyImage, anyTemplate } from "./pod-shape.ts";
import { scaleAnyOf } from "./scale.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "apps/statefulsets";

/** What users do with StatefulSets. */
export const statefulSetSteps: readonly Step[] = [
  { name: "create a StatefulSet", weight: 7, run: create },
  {
    name: "scale a StatefulSet",
    weight: 6,
    run: change(({ random }) => ({ replicas: random.integer(5) })),
  },
  {
    name: "scale a StatefulSet as an autoscaler does",
    weight: 3,
    run: (scene) => scaleAnyOf(scene, StatefulSet, scene.anyOf<V1StatefulSet>(RESOURCE)),
  },
  { name: "give a StatefulSet another image", weight: 6, run: change(withImage) },
  {
    name: "change how a StatefulSet is updated",
    weight: 3,
    run: change((scene) => ({ updateStrategy: anyStrategy(scene) })),
  },
  { name: "delete a StatefulSet", weight: 3, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  const labels = { app, set: "stateful" };
  return scene.client.create(StatefulSet, {
    metadata: { name: `${app}-ss`, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      replicas: scene.random.integer(4),
      serviceName: app,
      podManagementPolicy: scene.oneOf("OrderedReady", "OrderedReady", "Parallel"),
      selector: { matchLabels: labels },
      template: { ...anyTemplate(scene, app), metadata: { labels } },
      updateStrategy: anyStrategy(scene),
      ...anyClaims(scene),
      ...(scene.isLucky(20) && { minReadySeconds: 3 }),
      ...(scene.isLucky(20) && { ordinals: { start: 2 } }),
      ...(scene.isLucky(30) && { revisionHistoryLimit: scene.random.integer(3) }),
    },
  });
}

function anyStrategy(scene: Scene): V1StatefulSetUpdateStrategy {
  if (scene.isLucky(15)) return { type: "OnDelete" };
  const rollingUpdate = {
    ...(scene.isLucky(25) && { partition: scene.random.integer(3) }),
    ...(scene.isLucky(20) && { maxUnavailable: scene.oneOf<number | string>(1, 2, "50%") }),
  };
  return { type: "RollingUpdate", rollingUpdate };
}

type Part = Partial<NonNullable<V1StatefulSet["spec"]>>;

/** Patches one StatefulSet's spec. */
function change(partOf: (scene: Scene, set: V1StatefulSet) => Part): Step["run"] {
  return async (scene) => {
    const set = scene.anyOf<V1StatefulSet>(RESOURCE);
    if (!set) return;
    const body = { metadata: { annotations: scene.marked() }, spec: partOf(scene, set) };
    return scene.client.patch(StatefulSet, placeOf(set), { type: "strategic", body });
  };
}

function withImage(scene: Scene, { spec }: V1StatefulSet): Part {
  const { name } = spec!.template.spec!.containers[0]!;
  const template = { spec: { containers: [{ name, image: anyImage(scene) }] } };
  return { template } as Part;
}

async function remove(scene: Scene): Promise<unknown> {
  const set = scene.anyOf<V1StatefulSet>(RESOURCE);
  if (!set) return;
  const propagation = scene.oneOf("Orphan", "Background", "Foreground");
  return scene.client.delete(StatefulSet, placeOf(set), { propagation });
}
