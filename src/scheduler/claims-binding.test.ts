import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Node, V1PersistentVolume, V1PersistentVolumeClaim } from "../gen/types.ts";
import { Claims, type StorageObjects } from "./claims.ts";
import { bindingState, type VolumePlan } from "./claims-binding.ts";

const NODE: V1Node = { metadata: { name: "n", labels: { host: "n" } } };
const COMPLETED = { "pv.kubernetes.io/bind-completed": "yes" };
const SELECTED = { "volume.kubernetes.io/selected-node": "n" };

function claim(
  annotations: Readonly<Record<string, string>> | undefined,
  volumeName?: string,
  resourceVersion = "7",
): V1PersistentVolumeClaim {
  return {
    metadata: {
      namespace: "d",
      name: "data",
      resourceVersion,
      ...(annotations && { annotations }),
    },
    spec: { ...(volumeName && { volumeName }) },
  };
}

function volume(host = "n", uid = "u", resourceVersion = "7"): V1PersistentVolume {
  const matchExpressions = [{ key: "host", operator: "In", values: [host] }];
  return {
    metadata: { name: "v", resourceVersion },
    spec: {
      claimRef: { namespace: "d", name: "data", uid },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  };
}

/** What has become of a plan that was written at revision 7. */
function state(
  kind: "binding" | "provision",
  object: V1PersistentVolumeClaim | undefined,
  known?: V1PersistentVolume,
  node: V1Node | undefined = NODE,
): string {
  const claims = new Claims();
  const put = <R extends keyof StorageObjects>(resource: R, one: StorageObjects[R]): void => {
    const { namespace = "", name = "" } = one.metadata ?? {};
    claims.apply({
      kind: "storage",
      resource,
      namespace,
      name,
      old: undefined,
      object: one,
    } as never);
  };
  if (object) put("PersistentVolumeClaim", object);
  if (known) put("PersistentVolume", known);
  const isBinding = kind === "binding";
  const plan: VolumePlan = {
    node: "n",
    volumes: isBinding ? [volume()] : [],
    boundClaims: isBinding ? [claim({})] : [],
    claims: isBinding ? [] : [claim(SELECTED)],
  };
  const written = new Map([[isBinding ? "v" : "d/data", 7]]);
  const found = bindingState(plan, written, node, claims);
  return typeof found === "object" ? found.problem : found;
}

describe("bindings that were written, by the names of upstream's TestCheckBindings", () => {
  const done = claim(COMPLETED, "v");
  const made = claim({ ...SELECTED, ...COMPLETED }, "v");
  for (const [what, found, expected] of [
    ["binding-bound", state("binding", done, volume()), "bound"],
    ["binding-prebound", state("binding", claim({}), volume()), "waiting"],
    ["binding-prebound-pv-old", state("binding", done, volume("n", "u", "6")), "waiting"],
    [
      "binding-claimref-uid-empty",
      state("binding", claim({}), volume("n", "")),
      'ClaimRef got reset for pv "v"',
    ],
    [
      "pv-gone",
      state("binding", done),
      'failed to check binding: could not find v1.PersistentVolume "v"',
    ],
    [
      "bound-but-affinity-mismatch",
      state("binding", done, volume("z")),
      'pv "v" node affinity doesn\'t match node "n": no matching NodeSelectorTerms',
    ],
    ["provisioning-pvc-bound", state("provision", made, volume()), "bound"],
    ["provisioning-pvc-unbound", state("provision", claim(SELECTED)), "waiting"],
    [
      "provisioning-pvc-not-fully-bound",
      state("provision", claim(SELECTED, "v"), volume()),
      "waiting",
    ],
    ["provisioning-pvc-bound, its volume not seen yet", state("provision", made), "waiting"],
    [
      "provisioning-pvc-annotation-nil",
      state("provision", claim(undefined)),
      'selectedNode annotation reset for PVC "data"',
    ],
    [
      "provisioning-pvc-selected-node-dropped",
      state("provision", claim({})),
      'provisioning failed for PVC "data"',
    ],
    [
      "provisioning-pvc-selected-node-wrong-node",
      state("provision", claim({ "volume.kubernetes.io/selected-node": "z" })),
      'provisioning failed for PVC "data"',
    ],
    [
      "provisioning-pvc-old: what was dropped before we wrote it",
      state("provision", claim({}, undefined, "6")),
      "waiting",
    ],
    [
      "binding-bound-provisioning-unbound, volume elsewhere",
      state("provision", made, volume("z")),
      'pv "v" node affinity doesn\'t match node "n": no matching NodeSelectorTerms',
    ],
    [
      "provisioning pvc deleted",
      state("provision", undefined),
      'failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "d/data"',
    ],
  ] as const)
    it(what, () => assert.equal(found, expected));

  it("node deleted", () => {
    const plan: VolumePlan = { node: "n", volumes: [], boundClaims: [], claims: [] };
    assert.deepEqual(bindingState(plan, new Map(), undefined, new Claims()), {
      problem: 'failed to get node "n": node "n" not found',
    });
  });
});
