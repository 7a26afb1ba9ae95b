import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { placeOf, type Scene } from "./step.ts";

/** Most replicas that an autoscaler asks for. */
const REPLICAS_MAX = 5;

/** Scales through the subresource, which knows no annotations; sometimes only if nobody else changed the object meanwhile. */
export async function scaleAnyOf<T extends KubeObject>(
  scene: Scene,
  kind: Kind<T>,
  object: T | undefined,
): Promise<unknown> {
  if (!object) return;
  const { resourceVersion } = object.metadata ?? {};
  const replicas = scene.random.integer(REPLICAS_MAX + 1);
  const guard = scene.isLucky(40) && { metadata: { resourceVersion } };
  const body = { ...guard, spec: { replicas } };
  return scene.client.patch(kind, placeOf(object), { type: "merge", body }, SCALE);
}

const SCALE = { subresource: "scale" } as const;
