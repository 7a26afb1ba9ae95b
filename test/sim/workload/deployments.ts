import { Deployment } from "../../../src/api/apps/deployment.ts";
import type { Patch } from "../../../src/client/client.ts";
import type { V1Deployment, V1DeploymentStrategy, V1ReplicaSet } from "../../../src/gen/types.ts";
import { anyImage, anyTemplate } from "./pod-shape.ts";
import { scaleAnyOf } from "./scale.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "apps/deployments";

/** What users do with Deployments. */
export const deploymentSteps: readonly Step[] = [
  { name: "create a Deployment", weight: 14, run: create },
  { name: "scale a Deployment", weight: 12, run: change(scaled) },
  { name: "scale a Deployment as an autoscaler does", weight: 5, run: autoscale },
  { name: "give a Deployment another image", weight: 14, run: change(withImage) },
  { name: "pause a Deployment", weight: 3, run: change(() => ({ paused: true })) },
  { name: "resume a Deployment", weight: 5, run: change(() => ({ paused: false })) },
  { name: "roll a Deployment back", weight: 6, run: rollBack },
  { name: "change how a Deployment rolls", weight: 3, run: change(rollingOtherwise) },
  { name: "delete a Deployment", weight: 6, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  const strategy = anyStrategy(scene);
  return scene.client.create(Deployment, {
    metadata: { name: app, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      replicas: scene.random.integer(5),
      selector: { matchLabels: { app } },
      template: anyTemplate(scene, app),
      strategy,
      ...(scene.isLucky(20) && { minReadySeconds: 3 }),
      ...(scene.isLucky(30) && { revisionHistoryLimit: scene.random.integer(3) }),
    },
  });
}

function anyStrategy(scene: Scene): V1DeploymentStrategy {
  if (scene.isLucky(20)) return { type: "Recreate" };
  const maxSurge = scene.oneOf<number | string>(0, 1, 2, "25%", "50%", "100%");
  const maxUnavailable = scene.oneOf<number | string>(0, 1, 2, "25%", "50%");
  const isStuck = maxSurge === 0 && maxUnavailable === 0;
  const rollingUpdate = { maxSurge, maxUnavailable: isStuck ? 1 : maxUnavailable };
  return { type: "RollingUpdate", rollingUpdate };
}

type Part = Partial<NonNullable<V1Deployment["spec"]>>;

/** Patches one Deployment's spec. */
function change(partOf: (scene: Scene, deployment: V1Deployment) => Part): Step["run"] {
  return async (scene) => {
    const deployment = scene.anyOf<V1Deployment>(RESOURCE);
    if (!deployment) return;
    const spec = partOf(scene, deployment);
    const body = { metadata: { annotations: scene.marked() }, spec };
    return patch(scene, deployment, { type: "strategic", body });
  };
}

function patch(scene: Scene, deployment: V1Deployment, by: Patch): Promise<unknown> {
  return scene.client.patch(Deployment, placeOf(deployment), by);
}

function autoscale(scene: Scene): Promise<unknown> {
  return scaleAnyOf(scene, Deployment, scene.anyOf<V1Deployment>(RESOURCE));
}

function scaled({ random }: Scene): Part {
  return { replicas: random.integer(6) };
}

function withImage(scene: Scene, { spec }: V1Deployment): Part {
  const { name } = spec!.template.spec!.containers[0]!;
  const template = { spec: { containers: [{ name, image: anyImage(scene) }] } };
  return { template } as Part;
}

function rollingOtherwise(scene: Scene): Part {
  const strategy = { $retainKeys: ["type", "rollingUpdate"], ...anyStrategy(scene) };
  return { strategy } as Part;
}

/** What `kubectl rollout undo` does: the template of an older set. */
async function rollBack(scene: Scene): Promise<unknown> {
  const deployment = scene.anyOf<V1Deployment>(RESOURCE);
  const uid = deployment?.metadata?.uid;
  const set = scene.anyOf<V1ReplicaSet>("apps/replicasets", ({ metadata }) =>
    (metadata?.ownerReferences ?? []).some((owner) => owner.uid === uid),
  );
  if (!deployment || !set) return;
  const { "pod-template-hash": _, ...labels } = set.spec!.template!.metadata!.labels!;
  const template = { ...set.spec!.template, metadata: { labels } };
  const annotations = { ...deployment.metadata?.annotations, ...scene.marked() };
  return patch(scene, deployment, {
    type: "json",
    body: [
      { op: "replace", path: "/spec/template", value: template },
      { op: "add", path: "/metadata/annotations", value: annotations },
    ],
  });
}

async function remove(scene: Scene): Promise<unknown> {
  const deployment = scene.anyOf<V1Deployment>(RESOURCE);
  if (!deployment) return;
  const propagation = scene.oneOf("Orphan", "Background", "Foreground");
  return scene.client.delete(Deployment, placeOf(deployment), { propagation });
}
