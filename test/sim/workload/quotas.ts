import { ResourceQuota } from "../../../src/api/core/resource-quota.ts";
import type { V1ResourceQuota } from "../../../src/gen/types.ts";
import { placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "resourcequotas";

/** How users bound what a namespace uses. */
export const quotaSteps: readonly Step[] = [
  { name: "create a ResourceQuota", weight: 3, run: create },
  { name: "change a ResourceQuota", weight: 3, run: change },
  { name: "delete a ResourceQuota", weight: 2, run: remove },
];

type Hard = Readonly<Record<string, string>>;

function anyHard(scene: Scene): Hard {
  const some = (most: number): string => String(scene.random.integer(most + 1));
  return {
    ...(scene.isLucky(60) && { pods: some(8) }),
    ...(scene.isLucky(25) && { "requests.cpu": scene.oneOf("500m", "1", "2500m") }),
    ...(scene.isLucky(15) && { "requests.memory": scene.oneOf("256Mi", "1Gi") }),
    ...(scene.isLucky(25) && { "count/jobs.batch": some(3) }),
    ...(scene.isLucky(25) && { "count/replicasets.apps": some(6) }),
    ...(scene.isLucky(25) && { services: some(2) }),
    ...(scene.isLucky(25) && { configmaps: some(3) }),
    ...(scene.isLucky(25) && { persistentvolumeclaims: some(3) }),
  };
}

async function create(scene: Scene): Promise<unknown> {
  return scene.client.create(ResourceQuota, {
    metadata: {
      name: scene.oneOf("bounds", "limits"),
      namespace: scene.namespace(),
      annotations: scene.marked(),
    },
    spec: { hard: anyHard(scene) },
  });
}

async function change(scene: Scene): Promise<unknown> {
  const quota = scene.anyOf<V1ResourceQuota>(RESOURCE);
  if (!quota) return;
  const before = Object.keys(quota.spec?.hard ?? {}).map((name) => [name, null] as const);
  const spec = { hard: { ...Object.fromEntries(before), ...anyHard(scene) } };
  const body = { metadata: { annotations: scene.marked() }, spec };
  return scene.client.patch(ResourceQuota, placeOf(quota), { type: "merge", body });
}

async function remove(scene: Scene): Promise<unknown> {
  const quota = scene.anyOf<V1ResourceQuota>(RESOURCE);
  return quota && scene.client.delete(ResourceQuota, placeOf(quota));
}

/** What keeps counting and refuses nothing: amounts that every container must name are bounded no more. */
export function generous({ spec }: V1ResourceQuota): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.keys(spec?.hard ?? {}).map((name) => [
      name,
      name.startsWith("requests.") ? null : "1000",
    ]),
  );
}
