import { Node } from "../../../src/api/core/node.ts";
import type { V1Node, V1Pod, V1Taint } from "../../../src/gen/types.ts";
import { evict } from "./pods.ts";
import { placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "nodes";
const OURS = "sim.skiff.dev/";

/** What an administrator does with nodes. A node that is deleted comes back: its kubelet registers it again. */
export const nodeSteps: readonly Step[] = [
  { name: "cordon a Node", weight: 4, run: (scene) => patchSpec(scene, { unschedulable: true }) },
  {
    name: "uncordon a Node",
    weight: 5,
    run: (scene) => patchSpec(scene, { unschedulable: null }),
  },
  { name: "taint a Node", weight: 2, run: taint },
  { name: "take the taints off a Node", weight: 4, run: untaint },
  { name: "drain a Node", weight: 4, run: drain },
  { name: "delete a Node", weight: 2, run: remove },
];

async function patchSpec(scene: Scene, spec: object): Promise<unknown> {
  const node = scene.anyOf<V1Node>(RESOURCE);
  if (!node) return;
  const body = { metadata: { annotations: scene.marked() }, spec };
  return scene.client.patch(Node, placeOf(node), { type: "merge", body });
}

async function setTaints(
  scene: Scene,
  change: (taints: readonly V1Taint[]) => readonly V1Taint[],
): Promise<unknown> {
  const node = scene.anyOf<V1Node>(RESOURCE);
  if (!node) return;
  const taints = change(node.spec?.taints ?? []);
  // Only as it was seen: others set taints too.
  const { resourceVersion } = node.metadata!;
  const body = { metadata: { resourceVersion, annotations: scene.marked() }, spec: { taints } };
  return scene.client.patch(Node, placeOf(node), { type: "merge", body });
}

function taint(scene: Scene): Promise<unknown> {
  const effect = scene.oneOf("NoSchedule", "NoExecute", "PreferNoSchedule");
  const added = { key: `${OURS}${effect}`, value: "x", effect };
  return setTaints(scene, (taints) => [...taints.filter(({ key }) => key !== added.key), added]);
}

function untaint(scene: Scene): Promise<unknown> {
  return setTaints(scene, (taints) => taints.filter(({ key }) => !key.startsWith(OURS)));
}

async function remove(scene: Scene): Promise<unknown> {
  const node = scene.anyOf<V1Node>(RESOURCE);
  return node && scene.client.delete(Node, placeOf(node));
}

/** What `kubectl drain` does, all Pods at once. */
async function drain(scene: Scene): Promise<unknown> {
  const node = scene.anyOf<V1Node>(RESOURCE);
  if (!node) return;
  const body = { metadata: { annotations: scene.marked() }, spec: { unschedulable: true } };
  await scene.client.patch(Node, placeOf(node), { type: "merge", body });
  const pods = (scene.present("pods") as readonly V1Pod[]).filter(
    ({ spec }) => spec?.nodeName === node.metadata?.name,
  );
  return Promise.allSettled(pods.map((pod) => evict(scene, pod)));
}
