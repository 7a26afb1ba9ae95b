import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../../gen/types.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { cached } from "../authn/cached-kinds.ts";
import type { UserInfo } from "../request.ts";
import { NodeAuthorizer } from "./node-authorizer.ts";

const node: UserInfo = { name: "system:node:n1", groups: ["system:nodes"] };

const pod = (name: string, nodeName: string, spec: object = {}, annotations = {}): V1Pod => ({
  metadata: { name, namespace: "a", annotations },
  spec: { nodeName, containers: [], ...spec },
});

function world() {
  const cache = new StaticCache();
  const claim = (name: string) => ({ name: "v", persistentVolumeClaim: { claimName: name } });
  cache.put(
    cached.pod,
    pod("web", "n1", {
      serviceAccountName: "robot",
      imagePullSecrets: [{ name: "pull" }],
      containers: [
        { name: "c", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "env", key: "k" } } }] },
      ],
      volumes: [
        { name: "s", secret: { secretName: "mounted" } },
        { name: "m", configMap: { name: "conf" } },
        {
          name: "p",
          projected: {
            sources: [{ secret: { name: "projected" } }, { configMap: { name: "pc" } }],
          },
        },
        claim("data"),
        { name: "scratch", ephemeral: {} },
      ],
    }),
  );
  cache.put(
    cached.pod,
    pod("other", "n2", { volumes: [{ name: "s", secret: { secretName: "theirs" } }] }),
  );
  cache.put(
    cached.pod,
    pod(
      "mirror",
      "n1",
      { volumes: [{ name: "s", secret: { secretName: "wished" } }] },
      {
        "kubernetes.io/config.mirror": "x",
      },
    ),
  );
  cache.put(cached.persistentVolumeClaim, {
    metadata: { name: "data", namespace: "a" },
    spec: { volumeName: "pv1" },
  });
  cache.put(cached.persistentVolume, {
    metadata: { name: "pv1" },
    spec: {
      csi: {
        driver: "d",
        volumeHandle: "h",
        nodeStageSecretRef: { name: "stage", namespace: "storage" },
      },
    },
  });
  const attach = (name: string, nodeName: string) => ({
    metadata: { name },
    spec: { nodeName, attacher: "x", source: {} },
  });
  cache
    .put(cached.volumeAttachment, attach("va1", "n1"))
    .put(cached.volumeAttachment, attach("va2", "n2"));
  return { cache, authorizer: new NodeAuthorizer(cache) };
}

/** `get secrets a/x`, with `/sub` after the resource and `.group` after that. */
function decide(text: string, user = node, of = world()) {
  const [verb = "", what = "", where = ""] = text.split(" ");
  const [path = "", group = ""] = what.split(/\.(.*)/);
  const [plural = "", subresource = ""] = path.split("/");
  const [namespace = "", name = ""] = where.includes("/") ? where.split("/") : ["", where];
  const info = {
    isResource: true,
    path: "",
    version: "v1",
    verb,
    group,
    plural,
    subresource,
    namespace,
    name,
  };
  return of.authorizer.authorize(user, info);
}

describe("a node", () => {
  const none = "no relationship found between node 'n1' and this object";
  const rows: readonly (readonly [string, boolean, string?])[] = [
    ["get secrets a/mounted", true],
    ["get secrets a/pull", true],
    ["get secrets a/env", true],
    ["get secrets a/projected", true],
    ["watch secrets a/mounted", true],
    ["get secrets storage/stage", true],
    ["get secrets b/mounted", false, none],
    ["get secrets a/theirs", false, none],
    ["get secrets a/wished", false, none],
    ["list secrets a/", false, "No Object name found"],
    ["update secrets a/mounted", false, "can only read resources of this type"],
    ["get configmaps a/conf", true],
    ["get configmaps a/pc", true],
    ["get configmaps a/x", false, none],
    ["get persistentvolumeclaims a/data", true],
    ["get persistentvolumeclaims a/web-scratch", true],
    ["list persistentvolumeclaims a/data", false, "can only get individual resources of this type"],
    ["patch persistentvolumeclaims/status a/data", true],
    ["patch persistentvolumeclaims/status a/x", false, none],
    ["get persistentvolumes pv1", true],
    ["get persistentvolumes pv2", false, none],
    ["get volumeattachments.storage.k8s.io va1", true],
    ["get volumeattachments.storage.k8s.io va2", false, none],
    ["create serviceaccounts/token a/robot", true],
    ["create serviceaccounts/token a/admin", false, none],
    [
      "get serviceaccounts a/robot",
      false,
      "can only create tokens for individual service accounts",
    ],
    ["update leases.coordination.k8s.io kube-node-lease/n1", true],
    ["create leases.coordination.k8s.io kube-node-lease/", true],
    [
      "update leases.coordination.k8s.io kube-node-lease/n2",
      false,
      "can only access node lease with the same name as the requesting node",
    ],
    [
      "update leases.coordination.k8s.io kube-system/n1",
      false,
      `can only access leases in the "kube-node-lease" system namespace`,
    ],
    ["get csinodes.storage.k8s.io n1", true],
    [
      "get csinodes.storage.k8s.io n2",
      false,
      "can only access CSINode with the same name as the requesting node",
    ],
    ["get nodes n1", true],
    ["get nodes n2", false, "node 'n1' cannot read 'n2', only its own Node object"],
    ["list nodes ", false, "node 'n1' cannot read all nodes, only its own Node object"],
    ["patch nodes/status n1", true],
    ["delete nodes n1", false, ""],
    ["get pods a/web", true],
    ["get pods a/other", false, none],
    ["delete pods a/web", true],
    ["patch pods/status a/web", true],
    ["create pods/eviction a/web", true],
    ["create pods/exec a/web", false, ""],
    ["list services ", true],
    ["create events a/", true],
    ["create tokenreviews.authentication.k8s.io ", true],
    ["list deployments.apps ", false, ""],
  ];
  for (const [question, isAllowed, reason = ""] of rows)
    it(question, () => assert.deepEqual(decide(question), { isAllowed, reason }));

  it("that does not say which may nothing", () => {
    assert.deepEqual(decide("get nodes n1", { ...node, name: "system:node:" }), {
      isAllowed: false,
      reason: `unknown node for user "system:node:"`,
    });
  });
  it("is one by name and group, not by either", () => {
    for (const user of [
      { ...node, groups: [] },
      { ...node, name: "n1" },
    ])
      assert.deepEqual(decide("get secrets a/mounted", user), { isAllowed: false, reason: "" });
  });
  it("loses what a Pod gave it when the Pod goes or moves", () => {
    const of = world();
    assert.equal(decide("get secrets a/mounted", node, of).isAllowed, true);
    of.cache.remove(cached.pod, { namespace: "a", name: "web" });
    assert.equal(decide("get secrets a/mounted", node, of).isAllowed, false);
  });
});
