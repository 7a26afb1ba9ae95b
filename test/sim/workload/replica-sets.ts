import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import type { V1ReplicaSet } from "../../../src/gen/types.ts";
import { anyTemplate } from "./pod-shape.ts";
import { scaleAnyOf } from "./scale.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "apps/replicasets";

/** What users do with ReplicaSets of their own. Those of Deployments they leave alone. */
export const replicaSetSteps: readonly Step[] = [
  { name: "create a ReplicaSet", weight: 5, run: create },
  { name: "scale a ReplicaSet", weight: 4, run: scale },
  {
    name: "scale a ReplicaSet as an autoscaler does",
    weight: 2,
    run: (scene) => scaleAnyOf(scene, ReplicaSet, anyBare(scene)),
  },
  { name: "delete a ReplicaSet", weight: 4, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  return scene.client.create(ReplicaSet, {
    metadata: { name: `${app}-set`, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      replicas: scene.random.integer(4),
      // Sets of one program that were orphaned are adopted by the next.
      selector: { matchLabels: { app, set: "bare" } },
      template: withLabel(anyTemplate(scene, app)),
    },
  });
}

function withLabel(template: ReturnType<typeof anyTemplate>): ReturnType<typeof anyTemplate> {
  return { ...template, metadata: { labels: { ...template.metadata!.labels, set: "bare" } } };
}

function anyBare(scene: Scene): V1ReplicaSet | undefined {
  const isBare = ({ metadata }: V1ReplicaSet): boolean => !metadata?.ownerReferences?.length;
  return scene.anyOf<V1ReplicaSet>(RESOURCE, isBare);
}

async function scale(scene: Scene): Promise<unknown> {
  const set = anyBare(scene);
  if (!set) return;
  const replicas = scene.random.integer(5);
  const body = { metadata: { annotations: scene.marked() }, spec: { replicas } };
  return scene.client.patch(ReplicaSet, placeOf(set), { type: "merge", body });
}

async function remove(scene: Scene): Promise<unknown> {
  const set = anyBare(scene);
  if (!set) return;
  const propagation = scene.oneOf("Orphan", "Background", "Foreground");
  return scene.client.delete(ReplicaSet, placeOf(set), { propagation });
}
