import { Pod } from "../../../src/api/core/pod.ts";
import type { V1Node, V1Pod } from "../../../src/gen/types.ts";
import { anyPodSpec } from "./pod-shape.ts";
import { APPS, FINALIZER, placeOf, WITHOUT_FINALIZER, type Scene, type Step } from "./step.ts";

const RESOURCE = "pods";

/** What users do with Pods, their own and those of sets. */
export const podSteps: readonly Step[] = [
  { name: "create a Pod", weight: 10, run: (scene) => create(scene, {}) },
  { name: "create a Pod that ends", weight: 4, run: createJob },
  { name: "create a Pod on a node", weight: 3, run: createOnNode },
  { name: "delete a Pod", weight: 10, run: remove },
  { name: "evict a Pod", weight: 3, run: evictOne },
  { name: "give a Pod another label", weight: 6, run: relabel },
  { name: "hold a Pod", weight: 3, run: hold },
  { name: "let a Pod go", weight: 3, run: letGo },
  { name: "read a Pod", weight: 8, run: read },
];

/** `NAME-N`: few names, so that one is soon used again. */
function anyName(scene: Scene): string {
  return `${scene.oneOf(...APPS)}-${scene.random.integer(3)}`;
}

async function create(scene: Scene, spec: object, labels: object = {}): Promise<unknown> {
  const name = anyName(scene);
  const isFree = scene.isLucky(50);
  return scene.client.create(Pod, {
    metadata: {
      name,
      namespace: scene.namespace(),
      annotations: scene.marked(),
      labels: { ...(isFree ? {} : { app: name.split("-")[0]! }), ...labels },
      ...(scene.isLucky(8) && { finalizers: [FINALIZER] }),
    },
    spec: { ...anyPodSpec(scene), ...spec },
  });
}

function createJob(scene: Scene): Promise<unknown> {
  const ports = [{ name: "http", containerPort: 80 }];
  const containers = [{ name: scene.oneOf("job", "crash"), image: "shop:1", ports }];
  return create(scene, { containers, restartPolicy: scene.oneOf("Never", "OnFailure") });
}

/** Past the scheduler: the kubelet must refuse what does not fit. */
async function createOnNode(scene: Scene): Promise<unknown> {
  const node = scene.anyOf<V1Node>("nodes");
  return node && create(scene, { nodeName: node.metadata!.name });
}

async function remove(scene: Scene): Promise<unknown> {
  const pod = scene.anyOf<V1Pod>(RESOURCE);
  if (!pod) return;
  const options = scene.oneOf<object>({}, {}, { graceSeconds: 0 }, { graceSeconds: 5 });
  const guard = scene.isLucky(30) ? { ifUid: pod.metadata!.uid! } : {};
  return scene.client.delete(Pod, placeOf(pod), { ...options, ...guard });
}

async function evictOne(scene: Scene): Promise<unknown> {
  const pod = scene.anyOf<V1Pod>(RESOURCE);
  return pod && evict(scene, pod);
}

/** Out of its set, or into one that will adopt it. */
async function relabel(scene: Scene): Promise<unknown> {
  const pod = scene.anyOf<V1Pod>(RESOURCE);
  if (!pod) return;
  const app = scene.oneOf<string | null>(null, ...APPS);
  const body = { metadata: { annotations: scene.marked(), labels: { app } } };
  return scene.client.patch(Pod, placeOf(pod), { type: "merge", body });
}

async function hold(scene: Scene): Promise<unknown> {
  const pod = scene.anyOf<V1Pod>(RESOURCE, ({ metadata }) => !metadata?.deletionTimestamp);
  if (!pod) return;
  const { resourceVersion, uid } = pod.metadata!;
  const annotations = scene.marked();
  const guard = { resourceVersion, uid };
  // Besides those that others have put there.
  const body = { metadata: { ...guard, annotations, finalizers: [FINALIZER] } };
  return scene.client.patch(Pod, placeOf(pod), { type: "strategic", body });
}

async function letGo(scene: Scene): Promise<unknown> {
  const isHeld = ({ metadata }: V1Pod): boolean =>
    metadata?.finalizers?.includes(FINALIZER) ?? false;
  const pod = scene.anyOf<V1Pod>(RESOURCE, isHeld);
  if (!pod) return;
  const body = { metadata: { annotations: scene.marked(), ...WITHOUT_FINALIZER } };
  return scene.client.patch(Pod, placeOf(pod), { type: "strategic", body });
}

async function read(scene: Scene): Promise<unknown> {
  const pod = scene.anyOf<V1Pod>(RESOURCE);
  return pod && scene.client.get(Pod, placeOf(pod));
}

/** @throws what the server says against it */
export function evict({ client }: Scene, pod: V1Pod): Promise<unknown> {
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: placeOf(pod) };
  return client.createSubresource(Pod, placeOf(pod), "eviction", body);
}
