import { PodDisruptionBudget } from "../../../src/api/policy/pod-disruption-budget.ts";
import type { V1PodDisruptionBudget } from "../../../src/gen/types.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "policy/poddisruptionbudgets";

/** How users guard their Pods. */
export const budgetSteps: readonly Step[] = [
  { name: "create a PodDisruptionBudget", weight: 6, run: create },
  { name: "change a PodDisruptionBudget", weight: 2, run: change },
  { name: "delete a PodDisruptionBudget", weight: 2, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  return scene.client.create(PodDisruptionBudget, {
    metadata: { name: app, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      selector: { matchLabels: { app } },
      ...anyLimit(scene),
      ...(scene.isLucky(40) && {
        unhealthyPodEvictionPolicy: scene.oneOf("AlwaysAllow", "IfHealthyBudget"),
      }),
    },
  });
}

function anyLimit(scene: Scene): { minAvailable: number } | { maxUnavailable: number | string } {
  return scene.isLucky(60)
    ? { minAvailable: scene.random.integer(4) }
    : { maxUnavailable: scene.oneOf<number | string>(0, 1, 2, "50%") };
}

async function change(scene: Scene): Promise<unknown> {
  const budget = scene.anyOf<V1PodDisruptionBudget>(RESOURCE);
  if (!budget) return;
  const limit = { minAvailable: null, maxUnavailable: null, ...anyLimit(scene) };
  const body = { metadata: { annotations: scene.marked() }, spec: limit };
  return scene.client.patch(PodDisruptionBudget, placeOf(budget), { type: "merge", body });
}

async function remove(scene: Scene): Promise<unknown> {
  const budget = scene.anyOf<V1PodDisruptionBudget>(RESOURCE);
  return budget && scene.client.delete(PodDisruptionBudget, placeOf(budget));
}
