import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Namespace } from "../../api/core/namespace.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { Lease } from "../../api/coordination/lease.ts";
import type { StatusError } from "../../api/machinery/status-error.ts";
import { admissionCall, admitted, type CallOptions } from "../../../test/support/admission-call.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { cached } from "../authn/cached-kinds.ts";
import { defaultTolerationSeconds } from "./default-tolerations.ts";
import { NamespaceLifecycle } from "./namespace-lifecycle.ts";
import { NodeRestriction } from "./node-restriction.ts";
import { Priority } from "./priority.ts";
import { ServiceAccountAdmission } from "./service-account.ts";
import { taintNodesByCondition } from "./taint-nodes.ts";

const meta = { name: "web", namespace: "a" };
const pod = (spec: Partial<NonNullable<Pod["spec"]>> = {}, annotations = {}): Pod => ({
  metadata: { ...meta, annotations },
  spec: { containers: [{ name: "c" }], ...spec },
});
const mirror = { "kubernetes.io/config.mirror": "x" };

describe("NamespaceLifecycle", () => {
  const cache = new StaticCache();
  cache.put(Namespace, { metadata: { name: "a" }, status: { phase: "Active" } });
  cache.put(Namespace, { metadata: { name: "gone" }, status: { phase: "Terminating" } });
  const plugin = new NamespaceLifecycle(cache);
  const object = (namespace: string) => ({ metadata: { name: "web", namespace } });
  const ns = (name: string) => ({ kind: Namespace, old: { metadata: { name } } });
  const rows: readonly (readonly [string, CallOptions, string | undefined])[] = [
    ["create", { kind: Pod, object: object("a") }, undefined],
    [
      "create where no namespace is",
      { kind: Pod, object: object("x") },
      `namespaces "x" not found`,
    ],
    [
      "update where no namespace is",
      { kind: Pod, object: object("x"), old: object("x") },
      `namespaces "x" not found`,
    ],
    [
      "create in a namespace that goes",
      { kind: ConfigMap, object: object("gone") },
      `configmaps "web" is forbidden: unable to create new content in namespace gone because it is being terminated`,
    ],
    [
      "update in a namespace that goes",
      { kind: Pod, object: object("gone"), old: object("gone") },
      undefined,
    ],
    ["delete in a namespace that goes", { kind: Pod, old: object("gone") }, undefined],
    [
      "create of what has no namespace",
      { kind: Node, object: { metadata: { name: "n" } } },
      undefined,
    ],
    [
      "create of a namespace",
      { kind: Namespace, object: { metadata: { name: "new" } } },
      undefined,
    ],
    [
      "delete of kube-system",
      ns("kube-system"),
      `namespaces "kube-system" is forbidden: this namespace may not be deleted`,
    ],
    [
      "delete of default",
      ns("default"),
      `namespaces "default" is forbidden: this namespace may not be deleted`,
    ],
    ["delete of another", ns("a"), undefined],
  ];
  for (const [name, options, refusal] of rows)
    it(name, () => assert.equal(admitted(plugin, options), refusal ?? options.object));
  it("names the cause for controllers", () => {
    const call = admissionCall({ kind: Pod, object: object("gone") });
    assert.throws(
      () => plugin.admit(call),
      (error: StatusError) => {
        assert.equal(error.status.details?.causes?.[0]?.reason, "NamespaceTerminating");
        return true;
      },
    );
  });
});

describe("ServiceAccount", () => {
  const world = () => {
    const cache = new StaticCache();
    const clock = new VirtualClock();
    cache.put(ServiceAccount, {
      metadata: { name: "default", namespace: "a" },
      imagePullSecrets: [{ name: "pull" }],
    });
    cache.put(ServiceAccount, {
      metadata: { name: "bare", namespace: "a" },
      automountServiceAccountToken: false,
    });
    cache.put(ServiceAccount, {
      metadata: {
        name: "strict",
        namespace: "a",
        annotations: { "kubernetes.io/enforce-mountable-secrets": "true" },
      },
      secrets: [{ name: "own" }],
    });
    const plugin = new ServiceAccountAdmission(cache, clock, new SeededRandom(1));
    return { cache, clock, plugin };
  };
  const admit = (object: Pod): Pod | string =>
    admitted(world().plugin, { kind: Pod, object }) as Pod | string;
  const specOf = (object: Pod) => (admit(object) as Pod).spec!;

  it("gives account, token volume, mounts and pull secrets", () => {
    const spec = specOf(pod({ initContainers: [{ name: "i" }] }));
    const name = spec.volumes![0]!.name;
    assert.match(name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const mount = {
      name,
      readOnly: true,
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
    };
    assert.deepEqual(spec, {
      containers: [{ name: "c", volumeMounts: [mount] }],
      initContainers: [{ name: "i", volumeMounts: [mount] }],
      serviceAccountName: "default",
      serviceAccount: "default",
      imagePullSecrets: [{ name: "pull" }],
      volumes: [
        {
          name,
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
              {
                configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] },
              },
              {
                downwardAPI: {
                  items: [
                    {
                      path: "namespace",
                      fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
                    },
                  ],
                },
              },
            ],
          },
        },
      ],
    });
  });
  it("keeps a mount at the token's path, and a volume that was there", () => {
    const volumeMounts = [
      { name: "own", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ];
    assert.equal(specOf(pod({ containers: [{ name: "c", volumeMounts }] })).volumes, undefined);
    const volumes = [{ name: "kube-api-access-abcde" }];
    assert.deepEqual(specOf(pod({ volumes })).volumes, volumes);
  });
  it("mounts nothing for accounts or Pods that say so; the Pod has the last word", () => {
    assert.equal(specOf(pod({ serviceAccountName: "bare" })).volumes, undefined);
    assert.equal(specOf(pod({ automountServiceAccountToken: false })).volumes, undefined);
    const spec = specOf(pod({ serviceAccountName: "bare", automountServiceAccountToken: true }));
    assert.equal(spec.volumes?.length, 1);
  });
  const refusals: readonly (readonly [Pod, string])[] = [
    [
      pod({ serviceAccountName: "x" }),
      `error looking up service account a/x: serviceaccount "x" not found`,
    ],
    [pod({ serviceAccountName: "x" }, mirror), "a mirror pod may not reference service accounts"],
    [
      pod({ volumes: [{ name: "v", secret: { secretName: "s" } }] }, mirror),
      "a mirror pod may not reference secrets",
    ],
  ];
  for (const [object, why] of refusals)
    it(why, () => assert.equal(admit(object), `pods "web" is forbidden: ${why}`));
  describe("of an account that lists its Secrets", () => {
    const env = (name: string) => ({
      name: "c",
      env: [{ name: "E", valueFrom: { secretKeyRef: { name, key: "k" } } }],
    });
    const envFrom = (name: string) => ({ name: "c", envFrom: [{ secretRef: { name } }] });
    const because = `is not allowed because service account strict does not reference that secret`;
    const lacks = `secret.secretName="other" ${because}`;
    const specs: readonly (readonly [object, string])[] = [
      [{ volumes: [{ name: "v", secret: { secretName: "other" } }] }, `volume with ${lacks}`],
      [{ containers: [env("other")] }, `container c with envVar E referencing ${lacks}`],
      [{ containers: [envFrom("other")] }, `container c with envFrom referencing ${lacks}`],
      [
        { initContainers: [envFrom("other")] },
        `init container c with envFrom referencing ${lacks}`,
      ],
    ];
    for (const [spec, why] of specs)
      it(`refuses a ${why}`, () =>
        assert.equal(
          admit(pod({ serviceAccountName: "strict", ...spec })),
          `pods "web" is forbidden: ${why}`,
        ));
    it("admits what it lists", () => {
      const containers = [env("own"), envFrom("own")];
      assert.ok(specOf(pod({ serviceAccountName: "strict", containers })));
    });
    it("holds containers for debugging to the same (CVE-2023-2728, CVE-2024-3177)", () => {
      const old = pod({ serviceAccountName: "strict" });
      const debug = (ephemeralContainers: readonly object[]): unknown => {
        const object = pod({ serviceAccountName: "strict", ephemeralContainers } as Pod["spec"]);
        const subresource = "ephemeralcontainers";
        const result = admitted(world().plugin, { kind: Pod, object, old, subresource });
        return result === object ? "as it is" : result;
      };
      const refused = `pods "web" is forbidden: ephemeral container c with`;
      assert.equal(debug([envFrom("other")]), `${refused} envFrom referencing ${lacks}`);
      assert.equal(debug([env("other")]), `${refused} envVar E referencing ${lacks}`);
      assert.equal(debug([env("own"), envFrom("own")]), "as it is");
    });
  });
  it("leaves mirror Pods as they are", () =>
    assert.deepEqual(admit(pod({}, mirror)), pod({}, mirror)));
  it("waits a moment for the default account of a young namespace, for no other", async () => {
    const { cache, clock, plugin } = world();
    const call = (spec = {}) => {
      const object: Pod = { ...pod(spec), metadata: { name: "p", namespace: "b" } };
      return admissionCall({ kind: Pod, object });
    };
    assert.equal(plugin.prepare(call({ serviceAccountName: "x" })), undefined);
    let woken = 0;
    void plugin.prepare(call())?.then(() => woken++);
    await clock.advance(100);
    assert.equal(woken, 0);
    cache.put(ServiceAccount, { metadata: { name: "default", namespace: "b" } });
    await clock.advance(0);
    assert.equal(woken, 1);
    assert.equal(plugin.prepare(call()), undefined);
    cache.remove(ServiceAccount, { namespace: "b", name: "default" });
    void plugin.prepare(call())?.then(() => woken++);
    await clock.advance(1500);
    assert.equal(woken, 2);
    assert.equal(clock.nextAt(), undefined);
  });
});

describe("Priority", () => {
  const cache = new StaticCache();
  const plugin = new Priority(cache);
  const small = { metadata: { name: "small" }, value: 7, preemptionPolicy: "Never" };
  cache.put(cached.priorityClass, small);
  const of = (spec: object): unknown => {
    const result = admitted(plugin, { kind: Pod, object: pod(spec) });
    if (typeof result === "string") return result;
    const { priorityClassName, priority, preemptionPolicy } = (result as Pod).spec!;
    return [priorityClassName, priority, preemptionPolicy];
  };
  const forbidden = `pods "web" is forbidden: `;
  const rows: readonly (readonly [object, unknown])[] = [
    [{}, [undefined, 0, "PreemptLowerPriority"]],
    [{ priorityClassName: "small" }, ["small", 7, "Never"]],
    [{ priorityClassName: "small", priority: 7 }, ["small", 7, "Never"]],
    [
      { priorityClassName: "system-node-critical" },
      ["system-node-critical", 2000001000, "PreemptLowerPriority"],
    ],
    [
      { priorityClassName: "constructor" },
      `${forbidden}no PriorityClass with name constructor was found`,
    ],
    [
      { priority: 5 },
      `${forbidden}the integer value of priority (5) must not be provided in pod spec; ` +
        `priority admission controller computed 0 from the given PriorityClass name`,
    ],
  ];
  for (const [spec, expected] of rows)
    it(JSON.stringify(spec), () => assert.deepEqual(of(spec), expected));
  it("keeps the number when an update leaves it out", () => {
    const old = pod({ priority: 7, preemptionPolicy: "Never" });
    assert.deepEqual(admitted(plugin, { kind: Pod, object: pod(), old }), pod(old.spec));
  });
  it("takes the default class, of which there is one", () => {
    const add = {
      kind: cached.priorityClass,
      object: { ...small, metadata: { name: "d" }, globalDefault: true },
    };
    assert.equal(typeof admitted(plugin, add), "object");
    cache.put(cached.priorityClass, add.object);
    assert.deepEqual(of({}), ["d", 7, "Never"]);
    assert.equal(
      admitted(plugin, { ...add, object: { ...add.object, metadata: { name: "e" } } }),
      `priorityclasses.scheduling.k8s.io "e" is forbidden: PriorityClass d is already marked as default. ` +
        `Only one default can exist`,
    );
  });
  it("keeps the system's classes", () => {
    const old = (name: string) => ({ kind: cached.priorityClass, old: { metadata: { name } } });
    assert.equal(
      admitted(plugin, old("system-node-critical")),
      `priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: ` +
        `this is a system priority class and cannot be deleted`,
    );
    assert.equal(admitted(plugin, old("d")), undefined);
  });
});

describe("DefaultTolerationSeconds", () => {
  const five = (key: string) => ({
    key: `node.kubernetes.io/${key}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: 300,
  });
  const own = { key: "node.kubernetes.io/not-ready", operator: "Exists" };
  const rows = [
    [[], [five("not-ready"), five("unreachable")]],
    [[own], [own, five("unreachable")]],
    [[{ operator: "Exists" }], [{ operator: "Exists" }]],
    [
      [{ ...own, effect: "NoSchedule" }],
      [{ ...own, effect: "NoSchedule" }, five("not-ready"), five("unreachable")],
    ],
  ] as const;
  for (const [tolerations, expected] of rows)
    it(JSON.stringify(tolerations), () => {
      const result = admitted(defaultTolerationSeconds, {
        kind: Pod,
        object: pod({ tolerations }),
      });
      assert.deepEqual((result as Pod).spec?.tolerations, expected);
    });
});

describe("TaintNodesByCondition", () => {
  const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
  it("taints new Nodes, once", () => {
    const node = { metadata: { name: "n" } };
    const tainted = admitted(taintNodesByCondition, { kind: Node, object: node }) as Node;
    assert.deepEqual(tainted.spec?.taints, [taint]);
    assert.equal(admitted(taintNodesByCondition, { kind: Node, object: tainted }), tainted);
    assert.equal(admitted(taintNodesByCondition, { kind: Node, object: node, old: node }), node);
  });
});

describe("NodeRestriction", () => {
  const user = { name: "system:node:n1", groups: ["system:nodes"] };
  const cache = new StaticCache();
  const bound = (name: string, nodeName: string): Pod => ({
    metadata: { name, namespace: "a", uid: `${name}-uid` },
    spec: {
      nodeName,
      containers: [],
      volumes: [{ name: "t", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }],
    },
  });
  cache.put(Pod, bound("mine", "n1")).put(Pod, bound("theirs", "n2"));
  cache.put(Node, { metadata: { name: "n1", uid: "u1" } });
  const plugin = new NodeRestriction(cache);
  const node = (name: string, labels = {}, spec = {}, rest = {}): Node => ({
    metadata: { name, labels, ...rest },
    spec,
  });
  const ownerReferences = [
    { apiVersion: "v1", kind: "Node", name: "n1", uid: "u1", controller: true },
  ];
  const mirrorPod = (spec = {}, more = {}): Pod => ({
    metadata: { ...meta, annotations: mirror, ownerReferences, ...more },
    spec: { nodeName: "n1", containers: [], ...spec },
  });
  const lease = (name: string, namespace = "kube-node-lease") => ({
    kind: Lease,
    object: { metadata: { name, namespace } },
  });
  const token = (name: string, uid: string, audiences: string[] = []): CallOptions => ({
    ...{
      kind: ServiceAccount,
      subresource: "token",
      name: "robot",
      namespace: "a",
      operation: "CREATE",
    },
    object: {
      spec: { audiences, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    } as never,
  });
  const status = (name: string, nodeName: string, labels = {}): CallOptions => {
    const old = bound(name, nodeName);
    return {
      kind: Pod,
      subresource: "status",
      old,
      object: { ...old, metadata: { ...old.metadata, labels } },
    };
  };
  const rows: readonly (readonly [string, CallOptions, RegExp | undefined])[] = [
    [
      "its own Node",
      {
        kind: Node,
        object: node("n1", {
          "kubernetes.io/hostname": "n1",
          team: "x",
          "node.kubernetes.io/y": "",
        }),
      },
      undefined,
    ],
    [
      "another's Node",
      { kind: Node, object: node("n2") },
      /node "n1" is not allowed to modify node "n2"$/,
    ],
    [
      "a label that steers",
      {
        kind: Node,
        object: node("n1", {
          "node-role.kubernetes.io/x": "",
          "a.node-restriction.kubernetes.io/z": "",
        }),
      },
      /is not allowed to set the following labels: a.node-restriction.kubernetes.io\/z, node-role.kubernetes.io\/x$/,
    ],
    [
      "a label that steers, later",
      { kind: Node, object: node("n1"), old: node("n1", { "node-role.kubernetes.io/x": "" }) },
      /is not allowed to modify labels: node-role.kubernetes.io\/x$/,
    ],
    [
      "its own taints",
      {
        kind: Node,
        object: node("n1"),
        old: node("n1", {}, { taints: [{ key: "a", effect: "NoSchedule" }] }),
      },
      /node "n1" is not allowed to modify taints$/,
    ],
    [
      "its owners",
      { kind: Node, object: node("n1", {}, {}, { ownerReferences }), old: node("n1") },
      /modify ownerReferences$/,
    ],
    ["a mirror Pod", { kind: Pod, object: mirrorPod() }, undefined],
    [
      "a Pod that mirrors nothing",
      { kind: Pod, object: mirrorPod({}, { annotations: {} }) },
      /node "n1" can only create mirror pods$/,
    ],
    [
      "a mirror Pod elsewhere",
      { kind: Pod, object: mirrorPod({ nodeName: "n2" }) },
      /can only create pods with spec.nodeName set to itself$/,
    ],
    [
      "a mirror Pod without owner",
      { kind: Pod, object: mirrorPod({}, { ownerReferences: [] }) },
      /can only create pods with an owner reference set to itself$/,
    ],
    [
      "a mirror Pod of another uid",
      {
        kind: Pod,
        object: mirrorPod({}, { ownerReferences: [{ ...ownerReferences[0], uid: "x" }] }),
      },
      /node n1 UID mismatch: expected x got u1$/,
    ],
    [
      "a mirror Pod with an account",
      { kind: Pod, object: mirrorPod({ serviceAccountName: "r" }) },
      /can not create pods that reference a service account$/,
    ],
    [
      "a mirror Pod with a ConfigMap",
      { kind: Pod, object: mirrorPod({ volumes: [{ name: "v", configMap: { name: "m" } }] }) },
      /reference configmaps$/,
    ],
    ["status of its Pod", status("mine", "n1"), undefined],
    [
      "status of another's Pod",
      status("theirs", "n2"),
      /can only update pod status for pods with spec.nodeName set to itself$/,
    ],
    [
      "labels through status",
      status("mine", "n1", { a: "b" }),
      /cannot update labels through pod status$/,
    ],
    ["deletion of its Pod", { kind: Pod, old: bound("mine", "n1") }, undefined],
    [
      "deletion of another's Pod",
      { kind: Pod, old: bound("theirs", "n2") },
      /can only delete pods with spec.nodeName set to itself$/,
    ],
    [
      "eviction of another's Pod",
      { kind: Pod, subresource: "eviction", object: {}, name: "theirs", namespace: "a" },
      /can only evict pods/,
    ],
    [
      "its spec",
      { kind: Pod, object: bound("mine", "n1"), old: bound("mine", "n1") },
      /unexpected operation "UPDATE"/,
    ],
    ["a token of its Pod", token("mine", "mine-uid"), undefined],
    [
      "a token of another's Pod",
      token("theirs", "theirs-uid"),
      /bound to a pod scheduled on a different node$/,
    ],
    [
      "a token of a Pod that was",
      token("mine", "old"),
      /the UID in the bound object reference \(old\) does not match/,
    ],
    [
      "a token without Pod",
      { ...token("", ""), object: { spec: {} } as never },
      /node requested token not bound to a pod$/,
    ],
    [
      "a token for others",
      token("mine", "mine-uid", ["vault"]),
      /audience "vault" not found in pod spec volume$/,
    ],
    ["its lease", lease("n1"), undefined],
    [
      "another's lease",
      lease("n2"),
      /can only access node lease with the same name as the requesting node$/,
    ],
    [
      "a lease elsewhere",
      lease("n1", "kube-system"),
      /can only access leases in the "kube-node-lease" system namespace$/,
    ],
  ];
  for (const [name, options, refusal] of rows)
    it(`${refusal ? "refuses" : "lets"} ${name}`, () => {
      const result = admitted(plugin, { ...options, user });
      if (refusal) assert.match(String(result), refusal);
      else assert.equal(result, options.object);
    });
  it("is not about anybody else", () => {
    assert.equal(plugin.handles(admissionCall({ kind: Node, object: node("n2") })), false);
  });
});
