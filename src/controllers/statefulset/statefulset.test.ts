import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { statefulSetResource, type StatefulSet } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import type { OwnerReference } from "../../api/machinery/object.ts";
import type { V1StatefulSetSpec } from "../../gen/types.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { plan, type Observed } from "./statefulset.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
const SINCE = "2026-01-01T00:59:50Z";
const LABELS = { app: "x" };

function set(spec: Partial<V1StatefulSetSpec> = {}, image = "new"): StatefulSet {
  return statefulSetResource.strategy.withDefaults({
    metadata: { name: "web", namespace: "d", uid: "set", generation: 1 },
    spec: {
      serviceName: "heads",
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image }] } },
      ...spec,
    },
  });
}

const created = <T>({ writes = [] }: Plan, kind: object): T[] =>
  writes.flatMap((write) =>
    write.verb === "create" && write.kind === kind ? [write.object as T] : [],
  );

/** The revision of an image, with a number. */
function revision(image: string, number: number): ControllerRevision {
  const nothing = { pods: [], claims: [], seen: { revisions: [], nameHolder: undefined } };
  const [made] = created<ControllerRevision>(
    plan({ ...nothing, set: set({}, image) }, NOW),
    ControllerRevision,
  );
  return { ...made!, metadata: { ...made!.metadata, uid: image }, revision: number };
}
const OLD = revision("old", 1);
const NEW = revision("new", 2);
const NEW_TEMPLATE = (
  NEW.data as { spec: { template: { metadata: object & Record<string, unknown> } } }
).spec.template;
const nameOf = (object: ControllerRevision): string => object.metadata!.name!;

const OWNER: OwnerReference = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  name: "web",
  uid: "set",
  controller: true,
};

const PHASES: Readonly<Record<string, string>> = { Ready: "Running" };

/** `0 Ready`, `1 Pending old`, `2 Failed ending`, `3 Ready (free)`, `0 Ready (of y)`. */
function pod(text: string): Pod {
  const [ordinal, state = "", ...words] = text.trim().split(" ");
  const has = (word: string): boolean => words.join(" ").includes(word);
  const name = `web-${ordinal}`;
  return {
    metadata: {
      name,
      namespace: "d",
      uid: `uid-${ordinal}`,
      labels: {
        ...LABELS,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": ordinal!,
        "controller-revision-hash": nameOf(has("old") ? OLD : NEW),
      },
      ...(has("ending") && { deletionTimestamp: SINCE }),
      ...(!has("(free)") && {
        ownerReferences: [{ ...OWNER, ...(has("(of y)") && { uid: "y" }) }],
      }),
    },
    spec: { containers: [] },
    status: {
      phase: PHASES[state] ?? state,
      conditions: [
        { type: "Ready", status: state === "Ready" ? "True" : "False", lastTransitionTime: SINCE },
      ],
    },
  };
}

const pods = (text: string): Pod[] => (text ? text.split("|").map(pod) : []);

/** A set whose new revision is known, and is not its current one when there are old Pods. */
function world(text: string, object: StatefulSet, extra: Partial<Observed> = {}): Observed {
  const isRolling = text.includes("old");
  const currentRevision = nameOf(isRolling ? OLD : NEW);
  const given = pods(text);
  const currentReplicas = given.filter(
    ({ metadata }) => metadata!.labels!["controller-revision-hash"] === currentRevision,
  ).length;
  const status = { replicas: 0, currentRevision, currentReplicas, ...object.status };
  const seen = { revisions: [OLD, NEW], nameHolder: NEW };
  return { set: { ...object, status }, pods: given, claims: [], seen, ...extra };
}

function summary(writes: readonly PlannedWrite[] = []): string {
  return writes.map(described).join(", ");
}

function described(write: PlannedWrite): string {
  const name = "key" in write ? write.key.name : (write.object.metadata?.name ?? "");
  const short = name.replace("web-", "");
  if (write.kind === PersistentVolumeClaim) return `${write.verb} claim ${name}`;
  if (write.kind !== Pod) return `${write.verb} revision`;
  if (write.verb === "patch") {
    const patch = JSON.stringify(write.patch);
    if (!patch.includes("ownerReferences")) return `update ${short}`;
    return `${patch.includes("$patch") ? "release" : "adopt"} ${short}`;
  }
  const labels = write.verb === "create" ? write.object.metadata?.labels : undefined;
  const isOld = labels?.["controller-revision-hash"] === nameOf(OLD);
  return `${write.verb} ${short}${isOld ? " old" : ""}`;
}

function row(before: string, spec: Partial<V1StatefulSetSpec>, expected: string): void {
  it(`${JSON.stringify(spec)}, "${before}" → "${expected}"`, () =>
    assert.equal(summary(plan(world(before, set(spec)), NOW).writes), expected));
}

const PARALLEL = { podManagementPolicy: "Parallel" };
const rolling = (rollingUpdate: object): Partial<V1StatefulSetSpec> => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate },
});

describe("statefulset plan: growing and shrinking in order", () => {
  row("", { replicas: 3 }, "create 0");
  row("0 Pending", { replicas: 3 }, ""); // it waits for 0
  row("0 Running", { replicas: 3 }, "");
  row("0 Ready", { replicas: 3 }, "create 1");
  row("0 Ready", { replicas: 3, minReadySeconds: 30 }, ""); // ready for 10 s
  row("0 Ready ending", { replicas: 3 }, ""); // not before it is gone
  row("1 Ready | 2 Ready", { replicas: 3 }, "create 0");
  row("0 Ready | 1 Failed | 2 Ready", { replicas: 3 }, "delete 1");
  row("0 Ready | 1 Succeeded | 2 Ready", { replicas: 3 }, "delete 1");
  row("0 Ready | 1 Failed ending", { replicas: 3 }, "");
  row("0 Ready | 1 Ready | 2 Ready", { replicas: 1 }, "delete 2");
  row("0 Ready | 1 Ready | 2 Ready ending", { replicas: 1 }, "");
  row("0 Ready | 1 Running | 2 Ready", { replicas: 1 }, "delete 2");
  row("0 Ready | 1 Running | 2 Running", { replicas: 1 }, ""); // the lower one is the first that is sick
  row("0 Ready | 1 Ready | 2 Running", { replicas: 1 }, "delete 2");
  row("0 Running | 1 Ready", { replicas: 1 }, ""); // nothing goes while one that stays is sick
  row("0 Ready", { replicas: 0 }, "delete 0");
  row("", { replicas: 2, ordinals: { start: 5 } }, "create 5");
  row("4 Ready | 5 Ready | 6 Ready", { replicas: 2, ordinals: { start: 5 } }, "delete 4");
});

describe("statefulset plan: in parallel", () => {
  row("", { replicas: 3, ...PARALLEL }, "create 0, create 1, create 2");
  row("0 Pending", { replicas: 3, ...PARALLEL }, "create 1, create 2");
  row("0 Pending | 1 Pending | 2 Running", { replicas: 1, ...PARALLEL }, "delete 2, delete 1");
  row("0 Failed", { replicas: 2, ...PARALLEL }, "delete 0, create 1");

  it("one step is bounded, whatever spec.replicas says", () => {
    const { writes } = plan(world("", set({ replicas: 2 ** 31 - 1, ...PARALLEL })), NOW);
    assert.equal(writes?.length, 500);
  });
});

describe("statefulset plan: updates", () => {
  const THREE = "0 Ready old | 1 Ready old | 2 Ready old";
  row(THREE, { replicas: 3 }, "delete 2");
  row("0 Ready old | 1 Ready old | 2 Ready", { replicas: 3 }, "delete 1");
  row("0 Ready old | 1 Ready old | 2 Pending", { replicas: 3 }, "");
  row("0 Ready old | 1 Ready old", { replicas: 3 }, "create 2");
  row("0 Ready old | 1 Ready old | 2 Ready", { replicas: 3, minReadySeconds: 30 }, "");
  row(THREE, { replicas: 3, ...rolling({ partition: 2 }) }, "delete 2");
  row("0 Ready old | 1 Ready old | 2 Ready", { replicas: 3, ...rolling({ partition: 2 }) }, "");
  row("0 Ready old | 2 Ready", { replicas: 3, ...rolling({ partition: 2 }) }, "create 1 old");
  row("1 Ready old | 2 Ready", { replicas: 3, updateStrategy: { type: "OnDelete" } }, "create 0");
  row(THREE, { replicas: 3, updateStrategy: { type: "OnDelete" } }, "");
  row(THREE, { replicas: 2 }, "delete 2"); // scaling comes first
  // A broken new Pod is not replaced, nor is anything else until it works: it must be deleted by hand.
  row("0 Ready | 1 Ready | 2 Running old", { replicas: 3 }, "");
  row("0 Ready | 1 Ready | 2 Running old", { replicas: 3, ...PARALLEL }, "delete 2");
  row("0 Running old | 1 Ready old | 2 Ready", { replicas: 3, ...PARALLEL }, "delete 1");

  row(THREE, { replicas: 3, ...rolling({ maxUnavailable: 2 }) }, "delete 2, delete 1");
  row(THREE, { replicas: 3, ...rolling({ maxUnavailable: "50%" }) }, "delete 2");
  row(THREE, { replicas: 3, ...rolling({ maxUnavailable: "1%" }) }, "delete 2");
  row(
    THREE,
    { replicas: 3, ...rolling({ maxUnavailable: 3, partition: 1 }) },
    "delete 2, delete 1",
  );
  row(
    "0 Ready old | 1 Ready old | 2 Pending",
    { replicas: 3, ...PARALLEL, ...rolling({ maxUnavailable: 2 }) },
    "delete 1",
  );
  row(
    "0 Ready old | 1 Running old | 2 Pending",
    { replicas: 3, ...PARALLEL, ...rolling({ maxUnavailable: 1 }) },
    "delete 1", // it works not anyway
  );
});

describe("statefulset plan: whose Pods", () => {
  row("0 Ready (free)", { replicas: 1 }, "adopt 0");
  row("0 Ready (of y)", { replicas: 1 }, "create 0"); // the name is taken: the server says so

  it("a Pod with another label is released, and its place is not taken before", () => {
    const [stranger] = pods("0 Ready");
    const labels = { ...stranger!.metadata!.labels, app: "y" };
    const given = [{ ...stranger!, metadata: { ...stranger!.metadata, labels } }];
    const { writes } = plan(world("", set(), { pods: given }), NOW);
    assert.equal(summary(writes), "release 0, create 0");
  });

  it("lost labels come back", () => {
    const [member] = pods("0 Ready");
    const without = (lost: string): Plan => {
      const { [lost]: _, ...labels } = member!.metadata!.labels!;
      const given = [{ ...member!, metadata: { ...member!.metadata, labels } }];
      return plan(world("", set(), { pods: given }), NOW);
    };
    const { writes, events } = without("statefulset.kubernetes.io/pod-name");
    assert.deepEqual(writes, [
      {
        verb: "patch",
        kind: Pod,
        key: { namespace: "d", name: "web-0" },
        ifUid: "uid-0",
        patch: {
          metadata: {
            labels: {
              "statefulset.kubernetes.io/pod-name": "web-0",
              "apps.kubernetes.io/pod-index": "0",
            },
          },
        },
      },
    ]);
    assert.equal(events![0]!.message, "update Pod web-0 in StatefulSet web successful");
    // The other one alone is not looked for.
    assert.equal(summary(without("apps.kubernetes.io/pod-index").writes), "");
  });

  it("a set that is being deleted only counts", () => {
    const object = set({ replicas: 3 });
    const metadata = { ...object.metadata, deletionTimestamp: SINCE };
    const { writes, status } = plan(world("0 Ready", { ...object, metadata }), NOW);
    assert.equal(writes, undefined);
    assert.equal((status as { replicas: number }).replicas, 1);
  });
});

describe("statefulset plan: a Pod", () => {
  it("has name, host name, labels and claims of its ordinal", () => {
    const template = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } };
    const object = set({ volumeClaimTemplates: [template] });
    const { writes, events } = plan(world("", object), NOW);
    assert.equal(summary(writes), "create claim data-web-0, create 0");
    const [claim] = created<PersistentVolumeClaim>({ writes: writes! }, PersistentVolumeClaim);
    assert.deepEqual(claim!.metadata, { name: "data-web-0", namespace: "d", labels: LABELS });
    const [made] = created<Pod>({ writes: writes! }, Pod);
    assert.equal(made!.metadata!.name, "web-0");
    assert.deepEqual(made!.metadata!.labels, pod("0 Ready").metadata!.labels);
    const { hostname, subdomain, volumes } = made!.spec!;
    assert.deepEqual([hostname, subdomain], ["web-0", "heads"]);
    assert.deepEqual(volumes, [
      { name: "data", persistentVolumeClaim: { claimName: "data-web-0" } },
    ]);
    assert.deepEqual(
      events!.map(({ reason, message, afterWrite }) => [afterWrite, reason, message]),
      [
        [0, "SuccessfulCreate", "create Claim data-web-0 Pod web-0 in StatefulSet web success"],
        [
          0,
          "FailedCreate",
          "create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: {error}",
        ],
        [
          0,
          "FailedCreate",
          "create Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: {error}",
        ],
        [1, "SuccessfulCreate", "create Pod web-0 in StatefulSet web successful"],
        [1, "FailedCreate", "create Pod web-0 in StatefulSet web failed error: {error}"],
      ],
    );
  });
});

/** The Pod with the volume of its claim `data`. */
function withVolume(member: Pod): Pod {
  const claimName = `data-${member.metadata!.name}`;
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
  return { ...member, spec: { ...member.spec!, volumes } };
}

const messagesOf = ({ events = [] }: Plan): (readonly unknown[])[] =>
  events.map(({ afterWrite, onFailure, message }) => [
    afterWrite,
    onFailure ? "failed" : "done",
    message,
  ]);

describe("statefulset plan: Pods that lack their claims' volumes", () => {
  const claim = (name: string): PersistentVolumeClaim => ({ metadata: { name, namespace: "d" } });
  /** `0 Ready (bare)` has no volumes. `held`: the ordinals that have claims. */
  const misfits = (
    text: string,
    spec: Partial<V1StatefulSetSpec>,
    held: readonly number[] = [],
    more: Partial<PersistentVolumeClaim["metadata"]> = {},
  ): Plan => {
    const object = set({ volumeClaimTemplates: [{ metadata: { name: "data" } }], ...spec });
    const given = text
      .split("|")
      .map((one) => (one.includes("(bare)") ? pod(one) : withVolume(pod(one))));
    const claims = held.map((ordinal) => {
      const { metadata } = claim(`data-web-${ordinal}`);
      return { metadata: { ...metadata, ...more } };
    });
    return plan(world(text, object, { pods: given, claims }), NOW);
  };
  const misfitRow = (
    text: string,
    spec: Partial<V1StatefulSetSpec>,
    held: readonly number[],
    expected: string,
  ): void => {
    it(`${JSON.stringify(spec)}, "${text}", claims ${held.join()} → "${expected}"`, () =>
      assert.equal(summary(misfits(text, spec, held).writes), expected));
  };
  const BLOCKED = "create claim data-web-0, update 0";

  // The claim is made, the update is refused, and so an ordered set stands still: it neither grows …
  misfitRow("0 Ready (bare)", { replicas: 2 }, [], BLOCKED);
  misfitRow("0 Ready (bare)", { replicas: 2 }, [0], "update 0");
  misfitRow("0 Ready (bare) (free)", { replicas: 2 }, [], `adopt 0, ${BLOCKED}`);
  misfitRow("0 Ready | 1 Ready (bare)", { replicas: 3 }, [0], "create claim data-web-1, update 1");
  misfitRow("0 Ready (bare) | 1 Ready (bare)", { replicas: 3 }, [], BLOCKED); // 1 is not come to
  // … nor shrinks, nor updates.
  misfitRow("0 Ready (bare) | 1 Ready", { replicas: 1 }, [1], BLOCKED);
  misfitRow("0 Ready (bare) | 1 Ready old", { replicas: 2 }, [1], BLOCKED);
  // Nobody comes to one that is not ready, but its claim is made while it waits.
  misfitRow("0 Running (bare)", { replicas: 2 }, [], "");
  misfitRow("0 Pending (bare)", { replicas: 2 }, [], "create claim data-web-0");
  misfitRow("0 Ready ending (bare)", { replicas: 2 }, [], "");
  // One that is not wanted goes as any other, and so does one that has ended.
  misfitRow("0 Ready | 1 Ready (bare)", { replicas: 1 }, [0], "delete 1");
  misfitRow("0 Failed (bare)", { replicas: 1 }, [], "delete 0");
  // Beside it, Pods that are looked at together go on: 0, then 1 and 2, then 3 to 6 …
  misfitRow("0 Ready (bare) | 4 Ready", { replicas: 3, ...PARALLEL }, [4], BLOCKED);
  misfitRow("0 Pending (bare)", { replicas: 3, ...PARALLEL }, [], BLOCKED);
  misfitRow(
    "1 Ready (bare) | 6 Ready",
    { replicas: 5, ...PARALLEL },
    [0, 2],
    "create claim data-web-1, create 0, create 2, update 1",
  );
  misfitRow(
    "1 Running (bare) | 2 Ready (bare)",
    { replicas: 4, ...PARALLEL },
    [0, 1, 2, 3],
    "create 0, update 1, update 2",
  );
  misfitRow(
    "3 Ready (bare)",
    { replicas: 9, ...PARALLEL },
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    "create 0, create 1, create 2, create 4, create 5, create 6, update 3",
  );

  it("the update would give it the claim's volume in place of its own", () => {
    const volumes = [{ name: "data", emptyDir: {} }, { name: "config" }];
    const given = [{ ...pod("0 Ready"), spec: { containers: [], volumes } }];
    const object = set({ volumeClaimTemplates: [{ metadata: { name: "data" } }] });
    const { writes } = plan(world("0 Ready", object, { pods: given }), NOW);
    const patch = {
      spec: {
        volumes: [
          { name: "data", persistentVolumeClaim: { claimName: "data-web-0" } },
          { name: "config" },
        ],
      },
    };
    const key = { namespace: "d", name: "web-0" };
    assert.deepEqual(writes!.at(-1), { verb: "patch", kind: Pod, key, ifUid: "uid-0", patch });
  });

  it("tells of the claim, and of the refusal", () => {
    const update = "update Pod web-0 in StatefulSet web";
    assert.deepEqual(messagesOf(misfits("0 Ready (bare)", {})), [
      [0, "done", "create Claim data-web-0 Pod web-0 in StatefulSet web success"],
      [
        0,
        "failed",
        "create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: {error}",
      ],
      [0, "failed", `${update} failed error: failed to create PVC data-web-0: {error}`],
      [1, "done", `${update} successful`],
      [1, "failed", `${update} failed error: {error}`],
    ]);
  });

  it("waits for the end of a claim, and says so", () => {
    const given = misfits("0 Ready (bare)", {}, [0], { deletionTimestamp: SINCE });
    assert.equal(summary(given.writes), "");
    const message =
      "update Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted";
    assert.deepEqual(messagesOf(given), [[undefined, "done", message]]);
  });

  it("old revisions are forgotten before", () => {
    const more = ["a", "b"].map((image, index) => revision(image, index + 1));
    const seen = { revisions: [...more, { ...NEW, revision: 9 }], nameHolder: NEW };
    const volumeClaimTemplates = [{ metadata: { name: "data" } }];
    const object = set({ revisionHistoryLimit: 1, volumeClaimTemplates });
    const { writes } = plan(world("0 Ready", object, { seen }), NOW);
    assert.equal(summary(writes), `delete revision, ${BLOCKED}`);
  });
});

describe("statefulset plan: claims", () => {
  const claiming = (whenScaled: string, whenDeleted: string, replicas = 1): StatefulSet =>
    set({
      replicas,
      volumeClaimTemplates: [{ metadata: { name: "data" } }],
      persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted },
    });
  const held = (ordinal: number, parts: PersistentVolumeClaim["metadata"] = {}) => ({
    metadata: { name: `data-web-${ordinal}`, namespace: "d", ...parts },
  });
  const owner = (kind: string, name: string, uid: string): OwnerReference => ({
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  });
  const planned = (object: StatefulSet, text: string, claims: PersistentVolumeClaim[]): Plan =>
    plan(world("", object, { pods: pods(text).map(withVolume), claims }), NOW);
  const ownersAfter = ({ writes }: Plan): (readonly string[])[] =>
    writes!.flatMap((write) =>
      "object" in write && write.kind === PersistentVolumeClaim
        ? [
            (write.object.metadata?.ownerReferences ?? []).map(
              ({ kind, name }) => `${kind} ${name}`,
            ),
          ]
        : [],
    );

  it("stay when Retain says so", () => {
    assert.equal(summary(planned(claiming("Retain", "Retain"), "0 Ready", [held(0)]).writes), "");
  });

  it("belong to the set when they go with it, from the beginning", () => {
    const fresh = planned(claiming("Retain", "Delete"), "", []);
    assert.deepEqual(ownersAfter(fresh), [["StatefulSet web"]]);
    const later = planned(claiming("Retain", "Delete"), "0 Ready", [held(0)]);
    assert.deepEqual(ownersAfter(later), [["StatefulSet web"]]);
  });

  it("belong to a Pod that is scaled away, before it is deleted", () => {
    const both = [held(0), held(1)];
    const shrinking = planned(claiming("Delete", "Retain"), "0 Ready | 1 Ready", both);
    assert.equal(summary(shrinking.writes), "update claim data-web-1, delete 1");
    assert.deepEqual(ownersAfter(shrinking), [["Pod web-1"]]);
    const owned = held(1, { ownerReferences: [owner("Pod", "web-1", "uid-1")] });
    const back = planned(claiming("Delete", "Retain", 2), "0 Ready | 1 Ready", [held(0), owned]);
    assert.deepEqual(ownersAfter(back), [[]], "the Pod stays after all");
  });

  it("of an earlier Pod of that name hold the next one up until they are gone", () => {
    const stale = held(0, { ownerReferences: [owner("Pod", "web-0", "earlier")] });
    assert.equal(summary(planned(claiming("Delete", "Retain"), "", [stale]).writes), "");
    // Under another policy they hold nobody up, and go all the same.
    for (const whenDeleted of ["Retain", "Delete"]) {
      const next = planned(claiming("Retain", whenDeleted), "", [stale]);
      assert.equal(summary(next.writes), "create 0");
    }
    const ending = held(0, { deletionTimestamp: SINCE });
    const { writes, events } = planned(claiming("Retain", "Retain"), "", [ending]);
    assert.equal(summary(writes), "");
    assert.equal(
      events![0]!.message,
      "create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted",
    );
  });

  it("that somebody else controls are left alone", () => {
    const foreign = held(0, { ownerReferences: [owner("Backup", "b", "b")] });
    assert.equal(summary(planned(claiming("Delete", "Delete"), "0 Ready", [foreign]).writes), "");
    const conflict = [
      undefined,
      "done",
      "PersistentVolumeClaim data-web-0 has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim",
    ];
    const told = (text: string, policy: "Delete" | "Retain", claim = foreign): unknown[] =>
      messagesOf(planned(claiming("Retain", policy), text, [claim])).filter(
        ([index]) => index === undefined,
      );
    assert.deepEqual(told("", "Delete"), [conflict]);
    assert.deepEqual(told("0 Pending", "Delete"), [conflict]);
    assert.deepEqual(told("0 Ready", "Delete"), []);
    assert.deepEqual(told("0 Pending", "Retain"), []);
    assert.deepEqual(told("0 Pending", "Delete", held(0)), []);
    const both = [owner("StatefulSet", "web", "set"), owner("Backup", "b", "b")];
    const shared = held(0, { ownerReferences: both });
    assert.deepEqual(told("0 Ready", "Delete", shared), [conflict]);
    const scrubbed = planned(claiming("Retain", "Delete"), "0 Ready", [shared]);
    assert.deepEqual(ownersAfter(scrubbed), [["Backup b"]]);
  });

  it("that get other owners are told of once, and those of a Pod that goes not at all", () => {
    const volumeClaimTemplates = ["data", "logs"].map((name) => ({ metadata: { name } }));
    const policy = { whenDeleted: "Delete", whenScaled: "Delete" };
    const object = set({ volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy });
    const [member] = pods("0 Ready");
    const volumes = ["data", "logs"].map((name) => ({
      name,
      persistentVolumeClaim: { claimName: `${name}-web-0` },
    }));
    const given = [{ ...member!, spec: { ...member!.spec!, volumes } }];
    const claims = ["data", "logs"].map((name) => ({
      metadata: { name: `${name}-web-0`, namespace: "d" },
    }));
    const kept = plan(world("0 Ready", object, { pods: given, claims }), NOW);
    assert.equal(summary(kept.writes), "update claim data-web-0, update claim logs-web-0");
    const failed = (name: string): string =>
      `update Pod web-0 in StatefulSet web failed error: could not update claim ${name}-web-0 for delete policy ownerRefs: {error}`;
    assert.deepEqual(messagesOf(kept), [
      [0, "failed", failed("data")],
      [1, "done", "update Pod web-0 in StatefulSet web successful"],
      [1, "failed", failed("logs")],
    ]);
    const gone = planned(claiming("Delete", "Retain", 0), "0 Ready", [held(0)]);
    assert.equal(summary(gone.writes), "update claim data-web-0, delete 0");
    assert.deepEqual(
      messagesOf(gone).map(([index]) => index),
      [1, 1],
    );
  });

  it("that are missing come back while their Pod waits for them", () => {
    assert.equal(
      summary(planned(claiming("Retain", "Retain"), "0 Pending", []).writes),
      "create claim data-web-0",
    );
  });
});

describe("statefulset plan: revisions", () => {
  const bare = { pods: [], claims: [] };

  it("the first template is current and newest", () => {
    const seen = { revisions: [], nameHolder: undefined };
    const { writes, status } = plan({ ...bare, set: set(), seen }, NOW);
    assert.equal(summary(writes), "create revision, create 0");
    const name = nameOf(NEW);
    const { currentRevision, updateRevision } = status as Record<string, unknown>;
    assert.deepEqual([currentRevision, updateRevision], [name, name]);
    const [made] = created<ControllerRevision>({ writes: writes! }, ControllerRevision);
    const { metadata, ...rest } = set().spec!.template;
    assert.deepEqual(made!.data, {
      spec: {
        template: {
          $patch: "replace",
          metadata: { ...metadata, creationTimestamp: null },
          ...rest,
        },
      },
    });
  });

  it("its bytes begin as those that kubectl compares: keys in order, no time of creation", () => {
    const metadata = '{"creationTimestamp":null,"labels":{"app":"x"}}';
    const start = `{"spec":{"template":{"$patch":"replace","metadata":${metadata},"spec":{"containers":[{"image":"old","imagePullPolicy":`;
    assert.equal(JSON.stringify(OLD.data).slice(0, start.length), start);
  });

  it("one without the void time of creation is the same", () => {
    const { creationTimestamp: _, ...metadata } = NEW_TEMPLATE.metadata;
    const data = { spec: { template: { ...NEW_TEMPLATE, metadata } } };
    const seen = { revisions: [{ ...NEW, data }], nameHolder: NEW };
    assert.equal(summary(plan(world("0 Ready", set(), { seen }), NOW).writes), "");
  });

  it("going back gives the old revision the next number", () => {
    const { writes } = plan(world("0 Ready", set({}, "old")), NOW);
    const [write] = writes!;
    assert.equal(write!.verb === "patch" && JSON.stringify(write!.patch), '{"revision":3}');
    assert.equal(summary(writes), "patch revision, delete 0");
  });

  it("a name that another revision has raises the collision count", () => {
    const seen = { revisions: [OLD], nameHolder: { ...NEW, data: {} } };
    const { writes, status } = plan({ ...bare, set: set(), seen }, NOW);
    assert.equal(summary(writes), "");
    assert.equal((status as { collisionCount: number }).collisionCount, 1);
  });

  it("the oldest that no Pod has go beyond the limit; a negative limit keeps all", () => {
    const more = ["a", "b", "c"].map((image, index) => revision(image, index + 1));
    const seen = { revisions: [...more, { ...NEW, revision: 9 }], nameHolder: NEW };
    const forgotten = (revisionHistoryLimit: number): string[] =>
      plan(world("0 Ready", set({ revisionHistoryLimit }), { seen }), NOW).writes!.flatMap(
        (write) => ("key" in write ? [write.key.name] : []),
      );
    assert.deepEqual(forgotten(1), [nameOf(more[0]!), nameOf(more[1]!)]);
    assert.deepEqual(forgotten(-1), []);
  });
});

describe("statefulset plan: status", () => {
  const statusAfter = (text: string, spec: Partial<V1StatefulSetSpec>): object | undefined => {
    const { status } = plan(world(text, set(spec)), NOW);
    const { currentRevision, updateRevision, ...counts } = status as Record<string, unknown>;
    return { ...counts, same: currentRevision === updateRevision };
  };

  it("counts revisions, and an update is over when all are ready", () => {
    assert.deepEqual(statusAfter("0 Ready old | 1 Ready old", { replicas: 2 }), {
      replicas: 2,
      readyReplicas: 2,
      currentReplicas: 1, // the other one is deleted by this step
      collisionCount: 0,
      availableReplicas: 2,
      same: false,
    });
    const moved = world("0 Ready | 1 Ready", set({ replicas: 2 }));
    const before = { ...moved.set.status!, currentRevision: nameOf(OLD) };
    const { status } = plan({ ...moved, set: { ...moved.set, status: before } }, NOW);
    assert.deepEqual(status, {
      replicas: 2,
      readyReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: nameOf(NEW),
      updateRevision: nameOf(NEW),
      collisionCount: 0,
      availableReplicas: 2,
    });
  });

  it("counts no Pod as gone that could not be deleted", () => {
    const spec = { replicas: 3, ...PARALLEL, ...rolling({ maxUnavailable: 2 }) };
    const { writes, statusOnFailure } = plan(
      world("0 Ready old | 1 Ready old | 2 Ready old | 3 Ready old", set(spec)),
      NOW,
    );
    assert.equal(summary(writes), "delete 3, delete 2, delete 1");
    const left = (index: number): unknown => {
      const after = statusOnFailure!({ write: writes![index]!, message: "" });
      return (after as { currentReplicas: number }).currentReplicas;
    };
    assert.deepEqual([0, 1, 2].map(left), [4, 4, 3]);
  });

  it("is looked at again when a Pod becomes available", () => {
    const given = world("0 Ready", set({ minReadySeconds: 30 }));
    const { status, wakeAt } = plan(given, NOW);
    assert.equal((status as { availableReplicas: number }).availableReplicas, 0);
    assert.equal(wakeAt, NOW + 20_000);
  });
});
