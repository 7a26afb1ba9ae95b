import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { Deployment as DeploymentKind, type Deployment } from "../../api/apps/deployment.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { newSetName } from "./new-set.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { deploymentController, plan, type Observed } from "./deployment.ts";
import { findNewSet, maxSurge, maxUnavailable } from "./replica-sets.ts";

const NOW = Date.UTC(2026, 0, 1, 1);

interface Wish {
  readonly image?: string;
  readonly replicas?: number;
  readonly surge?: number | string;
  readonly unavailable?: number | string;
  readonly recreate?: boolean;
  readonly paused?: boolean;
  readonly annotations?: Record<string, string>;
  readonly limit?: number;
}

function deployment(wish: Wish = {}): Deployment {
  const { image = "v1", replicas = 3, surge = 1, unavailable = 0, recreate = false } = wish;
  return {
    metadata: {
      name: "web",
      namespace: "d",
      uid: "web",
      generation: 1,
      annotations: wish.annotations ?? {},
    },
    spec: {
      replicas,
      paused: wish.paused ?? false,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: wish.limit ?? 10,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "c", image }] },
      },
      strategy: recreate
        ? { type: "Recreate" }
        : {
            type: "RollingUpdate",
            rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } as object,
          },
    },
  };
}

/** The set that the controller itself would create for an image, told to run `size`, of which `available` are. */
function setOf(
  wish: Wish,
  size: number,
  available = size,
  revision = 1,
  createdMinute = revision,
): ReplicaSet {
  const owner = deployment(wish);
  const created = plan({ deployment: owner, sets: [], pods: [], nameHolder: undefined }, NOW)
    .writes![0]!;
  assert.equal(created.verb, "create");
  const set = (created as { object: ReplicaSet }).object;
  return {
    ...set,
    metadata: {
      ...set.metadata,
      uid: `${wish.image}`,
      generation: 1,
      creationTimestamp: `2026-01-01T00:0${createdMinute}:00Z`,
      annotations: {
        ...set.metadata?.annotations,
        "deployment.kubernetes.io/revision": String(revision),
      },
    },
    spec: { ...set.spec!, replicas: size },
    status: {
      replicas: size,
      availableReplicas: available,
      readyReplicas: available,
      observedGeneration: 1,
    },
  };
}

function observed(owner: Deployment, sets: readonly ReplicaSet[]): Observed {
  const nameHolder = sets.find((set) => set.metadata?.name === newSetName(owner));
  return { deployment: owner, sets, pods: [], nameHolder };
}

/** `v1: 3→2` for each resized set, `+v2 ×1` for a created one, `-v1` for a deleted one. */
function summary(result: Plan, sets: readonly ReplicaSet[] = []): string {
  const imageOf = (set: ReplicaSet | undefined): string =>
    set?.spec?.template?.spec?.containers[0]?.image ?? "?";
  return (result.writes ?? [])
    .filter((write) => write.kind === ReplicaSet)
    .flatMap((write) => {
      if (write.verb === "create") {
        const set = write.object as ReplicaSet;
        return [`+${imageOf(set)} ×${set.spec?.replicas}`];
      }
      if (write.verb === "delete") {
        return [`-${imageOf(sets.find((set) => set.metadata?.name === write.key.name))}`];
      }
      if (write.verb !== "update") return [];
      const set = write.object as ReplicaSet;
      const before = sets.find((other) => other.metadata?.uid === set.metadata?.uid);
      return before?.spec?.replicas === set.spec?.replicas
        ? []
        : [`${imageOf(set)}: ${before?.spec?.replicas}→${set.spec?.replicas}`];
    })
    .join(", ");
}

const V1 = { image: "v1" };
const V2 = { image: "v2" };

//      what                                          wish, sets before, plan
const ROWS: readonly (readonly [string, Wish, readonly ReplicaSet[], string])[] = [
  ["first rollout", V1, [], "+v1 ×3"],
  ["at rest", V1, [setOf(V1, 3)], ""],
  ["a new template begins with the surge", V2, [setOf(V1, 3)], "+v2 ×1"],
  [
    "25 % of 10, rounded up",
    { ...V2, replicas: 10, surge: "25%", unavailable: "25%" },
    [setOf({ ...V1, replicas: 10, surge: "25%", unavailable: "25%" }, 10)],
    "+v2 ×3",
  ],
  [
    "no room for the new set until the old one shrinks",
    { ...V2, surge: 0, unavailable: 1 },
    [setOf({ ...V1, surge: 0, unavailable: 1 }, 3)],
    "+v2 ×0",
  ],
  ["old ones shrink as new ones are available", V2, [setOf(V1, 3), setOf(V2, 1, 1, 2)], "v1: 3→2"],
  ["nothing moves while the new Pod is not available", V2, [setOf(V1, 3), setOf(V2, 1, 0, 2)], ""],
  ["the new set grows as old ones go", V2, [setOf(V1, 2), setOf(V2, 1, 1, 2)], "v2: 1→2"],
  ["unhealthy old Pods go first", V2, [setOf(V1, 3, 1), setOf(V2, 1, 1, 2)], "v1: 3→2"],
  [
    "what an old set has just given up is not taken for available",
    { ...V2, surge: 0, unavailable: 2 },
    [setOf(V1, 2, 3), setOf(V2, 1, 0, 2)],
    "v1: 2→1",
  ],
  [
    "scaled while rolling: in proportion",
    { ...V2, replicas: 10, surge: 0, unavailable: 1 },
    [
      setOf({ ...V1, replicas: 5, surge: 0, unavailable: 1 }, 3),
      setOf({ ...V2, replicas: 5, surge: 0, unavailable: 1 }, 2, 2, 2),
    ],
    "v1: 3→6, v2: 2→4",
  ],
  ["scaled at rest", { ...V1, replicas: 5 }, [setOf(V1, 3)], "v1: 3→5"],
  [
    "paused: no rollout, but scaling",
    { ...V2, paused: true, replicas: 5 },
    [setOf(V1, 3)],
    "v1: 3→5",
  ],
  [
    "Recreate: the old set ends first",
    { ...V2, recreate: true },
    [setOf({ ...V1, recreate: true }, 3)],
    "v1: 3→0",
  ],
  [
    "Recreate: then the new one comes whole",
    { ...V2, recreate: true },
    [setOf({ ...V1, recreate: true }, 0)],
    "+v2 ×3",
  ],
  [
    "Recreate, with two adopted sets that were made for another size: both end",
    { ...V2, recreate: true },
    [
      setOf({ image: "v0", replicas: 4, recreate: true }, 2),
      setOf({ ...V1, replicas: 4, recreate: true }, 2),
    ],
    "v0: 2→0, v1: 2→0",
  ],
];

describe("deployment plan: sizes", () => {
  for (const [what, wish, sets, expected] of ROWS) {
    it(`${what} → "${expected}"`, () => {
      assert.equal(summary(plan(observed(deployment(wish), sets), NOW), sets), expected);
    });
  }

  it("old sets beyond the history limit go when all is done, oldest first", () => {
    const sets = [setOf({ image: "v0" }, 0, 0, 1), setOf(V1, 0, 0, 2), setOf(V2, 3, 3, 3)];
    const done = {
      ...deployment({ ...V2, limit: 1 }),
      status: { replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: 1 },
    };
    assert.equal(summary(plan(observed(done, sets), NOW), sets), "-v0");
    // An old set that was rolled back to, and away from again, is younger than its age.
    const back = [setOf({ image: "v0" }, 0, 0, 2, 1), setOf(V1, 0, 0, 1, 2), sets[2]!];
    assert.equal(summary(plan(observed(done, back), NOW), back), "-v1");
  });

  it("a name that another set holds raises the collision count, and so changes the name", () => {
    const owner = deployment(V1);
    const stranger = {
      ...setOf(V2, 0),
      metadata: { name: newSetName(owner), namespace: "d", uid: "s" },
    };
    const result = plan({ deployment: owner, sets: [], pods: [], nameHolder: stranger }, NOW);
    assert.equal(summary(result), "");
    assert.equal((result.status as Deployment["status"])?.collisionCount, 1);
    assert.notEqual(newSetName({ ...owner, status: { collisionCount: 1 } }), newSetName(owner));
  });

  it("rollback takes the template of the revision and drops the request", () => {
    const annotations = {
      "deprecated.deployment.rollback.to": "1",
      "deployment.kubernetes.io/revision": "2",
    };
    const sets = [setOf(V1, 0, 0, 1), setOf(V2, 3, 3, 2)];
    const { writes, events } = plan(observed(deployment({ ...V2, annotations }), sets), NOW);
    const [write] = writes!;
    const object = (write as { object: Deployment }).object;
    assert.equal(object.spec?.template.spec?.containers[0]?.image, "v1");
    assert.deepEqual(object.spec?.template.metadata?.labels, { app: "web" });
    assert.equal("deprecated.deployment.rollback.to" in object.metadata!.annotations!, false);
    assert.equal(events?.[0]?.message, 'Rolled back deployment "web" to revision 1');
  });
});

describe("deployment plan: a set of a new template", () => {
  const made = (owner: Deployment): Plan =>
    plan({ deployment: owner, sets: [], pods: [], nameHolder: undefined }, NOW);
  const spec = (change: object): Deployment => {
    const owner = deployment(V1);
    return { ...owner, spec: { ...owner.spec!, ...change } };
  };
  const progressing = (status: object | undefined) => {
    const { conditions } = status as NonNullable<Deployment["status"]>;
    const found = conditions?.find(({ type }) => type === "Progressing");
    return found && [found.status, found.reason, found.message];
  };

  it("is the Deployment's in all that it copies", () => {
    const owner = spec({ minReadySeconds: 7 });
    const { object } = made(owner).writes![0] as { object: ReplicaSet };
    const labels = { app: "web", "pod-template-hash": newSetName(owner).slice("web-".length) };
    assert.deepEqual(object.metadata?.labels, labels);
    assert.deepEqual(object.spec?.selector, { matchLabels: labels });
    assert.deepEqual(object.spec?.template?.metadata, { labels });
    assert.equal(object.spec?.minReadySeconds, 7);
    assert.deepEqual(object.metadata?.annotations, {
      "deployment.kubernetes.io/revision": "1",
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
    });
  });

  it("is told of, and so is that there can be none", () => {
    const owner = deployment(V1);
    const name = newSetName(owner);
    const { status, statusOnFailure, events, writes } = made(owner);
    assert.deepEqual(
      events?.map(({ type, reason, message, onFailure = false }) => [
        type,
        reason,
        message,
        onFailure,
      ]),
      [
        ["Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to 3`, false],
        ["Warning", "ReplicaSetCreateError", `Failed to create new replica set "${name}": {error}`, true], // prettier-ignore
      ],
    );
    assert.deepEqual(progressing(status), ["True", "NewReplicaSetCreated", `Created new replica set "${name}"`]); // prettier-ignore
    assert.deepEqual(progressing(statusOnFailure!({ write: writes![0]!, message: "no" })), [
      "False",
      "ReplicaSetCreateError",
      `Failed to create new replica set "${name}": no`,
    ]);
  });

  it("of no Pods is not told of; without a deadline nobody asks for progress", () => {
    const empty = made(deployment({ ...V1, replicas: 0 }));
    assert.deepEqual(
      empty.events?.map(({ reason }) => reason),
      ["ReplicaSetCreateError"],
    );
    assert.equal(
      progressing(made(spec({ progressDeadlineSeconds: 2 ** 31 - 1 })).status),
      undefined,
    );
  });
});

describe("deployment plan: rolling back", () => {
  const SETS = [setOf({ image: "v0" }, 0, 0, 1), setOf(V1, 0, 0, 2), setOf(V2, 3, 3, 3)];
  const asked = (revision: number, sets = SETS) => {
    const annotations = {
      "deprecated.deployment.rollback.to": String(revision),
      "deployment.kubernetes.io/revision": "3",
    };
    const { writes, events } = plan(observed(deployment({ ...V2, annotations }), sets), NOW);
    const { object } = writes![0] as { object: Deployment };
    const [event] = events!;
    return { object, event: `${event!.type} ${event!.reason}: ${event!.message}` };
  };
  const imageOf = ({ spec }: Deployment) => spec?.template.spec?.containers[0]?.image;

  //    revision asked for (0: the last), image then, event
  for (const [revision, image, event] of [
    [0, "v1", 'Normal DeploymentRollback: Rolled back deployment "web" to revision 2'],
    [1, "v0", 'Normal DeploymentRollback: Rolled back deployment "web" to revision 1'],
    [3, "v2", 'Warning DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template as current deployment "web"'], // prettier-ignore
    [9, "v2", "Warning DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to."], // prettier-ignore
  ] as const)
    it(`to ${revision} → ${image}, and the request is over`, () => {
      const result = asked(revision);
      assert.deepEqual([imageOf(result.object), result.event], [image, event]);
      const { name, annotations = {} } = result.object.metadata!;
      assert.equal(name, "web");
      assert.equal("deprecated.deployment.rollback.to" in annotations, false);
      assert.equal(annotations["deployment.kubernetes.io/revision"], "3");
    });

  it("to the last one, where there is none", () => {
    const { object, event } = asked(0, [SETS[2]!]);
    assert.equal(imageOf(object), "v2");
    assert.equal(
      event,
      "Warning DeploymentRollbackRevisionNotFound: Unable to find last revision.",
    );
  });

  it("takes the annotations of the set, but for what is the set's own", () => {
    const [oldest, ...others] = SETS;
    const annotations = { ...oldest!.metadata!.annotations, because: "it worked" };
    const noted = { ...oldest!, metadata: { ...oldest!.metadata, annotations } };
    assert.deepEqual(asked(1, [noted, ...others]).object.metadata?.annotations, {
      because: "it worked",
      "deployment.kubernetes.io/revision": "3",
    });
  });
});

/** `v3 2, v2 3`: sizes by image, the newest first. */
const sized = (text: string): (readonly [image: string, size: number])[] =>
  text.split(", ").map((part) => {
    const [image = "", size] = part.split(" ");
    return [image, Number(size)];
  });

//     from → to, sets (the newest is of the Deployment's template, unless that is v9), sizes
const SCALES: readonly (readonly [string, string, string, Wish?, Wish?])[] = [
  ["10→12", "v1 10", "v1 12"],
  ["10→5", "v1 10", "v1 5"],
  ["5→10", "v2 2, v1 3", "v2 4, v1 6"],
  ["5→3", "v2 2, v1 3", "v2 1, v1 2"],
  ["9→4", "v2 8, v1 1", "v2 4, v1 0"],
  ["7→10", "v3 2, v2 3, v1 2", "v3 3, v2 4, v1 3"],
  ["13→8", "v3 2, v2 8, v1 3", "v3 1, v2 5, v1 2"],
  // What rounding leaves goes to the newest, and is taken from the oldest.
  ["3→4", "v3 1, v2 1, v1 1", "v3 2, v2 1, v1 1"],
  ["3→2", "v3 1, v2 1, v1 1", "v3 1, v2 1, v1 0"],
  ["4→5", "v2 2, v1 2", "v2 3, v1 2", { image: "v9" }],
  ["6→0", "v3 3, v2 2, v1 1", "v3 0, v2 0, v1 0"],
  ["0→6", "v3 0, v2 0, v1 0", "v3 6, v2 0, v1 0"],
  ["10→20", "v2 6, v1 6", "v2 11, v1 11", { surge: 2 }, { surge: 2 }],
  ["10→50", "v2 5, v1 8", "v2 22, v1 34", { surge: 6 }, { surge: 3 }],
  ["10→14", "v2 7, v1 3", "v2 10, v1 4", { image: "v9" }],
];

describe("deployment plan: scaled while rolling", () => {
  for (const [change, before, expected, wish, earlier] of SCALES) {
    it(`${change}: "${before}" → "${expected}"`, () => {
      const [from, to] = change.split("→").map(Number) as [number, number];
      const made = sized(before);
      const sets = made.map(([image, size], index) =>
        setOf(
          { surge: 0, unavailable: 1, ...earlier, replicas: from, image },
          size,
          size,
          made.length - index,
        ),
      );
      const annotations = { "deployment.kubernetes.io/revision": String(made.length) };
      const image = made[0]![0];
      const owner = deployment({
        surge: 0,
        unavailable: 1,
        image,
        annotations,
        replicas: to,
        ...wish,
      });
      const sizes = new Map(made);
      for (const write of plan(observed(owner, sets), NOW).writes ?? []) {
        assert.equal(write.verb, "update");
        const { spec } = (write as { object: ReplicaSet }).object;
        sizes.set(spec!.template!.spec!.containers[0]!.image!, spec!.replicas!);
      }
      assert.deepEqual([...sizes], sized(expected));
    });
  }
});

describe("deployment plan: surge and unavailable", () => {
  //      replicas, surge, unavailable, Pods above, Pods missing
  for (const [replicas, surge, unavailable, above, missing] of [
    [10, "25%", "25%", 3, 2],
    [1, "25%", "25%", 1, 0],
    [10, 0, "1%", 0, 1], // both round to none: one may be missing
    [2, 0, 3, 0, 2],
    [0, 0, 1, 0, 0],
    [10, "50%", "0%", 5, 0],
    [3, "0%", "34%", 0, 1],
  ] as const) {
    it(`of ${replicas}, ${surge} and ${unavailable}: ${above} above, ${missing} missing`, () => {
      const owner = deployment({ replicas, surge, unavailable });
      assert.deepEqual([maxSurge(owner), maxUnavailable(owner)], [above, missing]);
    });
  }

  it("Recreate has neither", () => {
    const owner = deployment({ recreate: true });
    assert.deepEqual([maxSurge(owner), maxUnavailable(owner)], [0, 0]);
  });
});

describe("deployment plan: which set is the new one", () => {
  it("the oldest of those with the template; the hash label does not count", () => {
    const [young, old] = [setOf(V1, 1, 1, 2, 5), setOf(V1, 1, 1, 1, 3)];
    const twin = { ...old, metadata: { ...old.metadata, name: "web-twin", uid: "twin" } };
    assert.equal(findNewSet(deployment(V1), [young, twin, setOf(V2, 3)]), twin);
    assert.equal(findNewSet(deployment({ image: "v3" }), [young, twin]), undefined);
  });

  it("annotations of the Deployment are the new set's, but for those about itself", () => {
    const annotations = {
      team: "x",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
      "deployment.kubernetes.io/revision": "1",
    };
    const { writes } = plan(observed(deployment({ ...V1, annotations }), [setOf(V1, 3)]), NOW);
    const [write] = writes as readonly { readonly object: ReplicaSet }[];
    assert.deepEqual(write!.object.metadata?.annotations, {
      team: "x",
      "deployment.kubernetes.io/revision": "1",
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
    });
  });
});

describe("deployment triggers", () => {
  const POD: Pod = {
    metadata: {
      name: "p",
      namespace: "d",
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "s", uid: "v1", controller: true },
      ],
    },
    status: { phase: "Running" },
  };
  const trigger = deploymentController.triggers.find(({ kind }) => kind === Pod)!;

  /** Names of the Deployments that the end of the Pod concerns. */
  function concerned(wish: Wish, object: Pod | undefined): string[] {
    const cache = new StaticCache();
    cache.put(DeploymentKind, deployment(wish));
    const made = setOf(wish, 1);
    cache.put(ReplicaSet, { ...made, metadata: { ...made.metadata, name: "s" } });
    const change = { kind: Pod, key: { namespace: "d", name: "p" }, old: POD, object };
    return trigger.keys(change, cache).map(({ name }) => name);
  }

  it("the end of a Pod lets a Deployment that recreates go on; a rolling one counts by its sets", () => {
    const ended = { ...POD, status: { phase: "Failed" } };
    assert.deepEqual(concerned({ ...V1, recreate: true }, undefined), ["web"]);
    assert.deepEqual(concerned({ ...V1, recreate: true }, ended), ["web"]);
    assert.deepEqual(concerned({ ...V1, recreate: true }, POD), []);
    assert.deepEqual(concerned(V1, undefined), []);
  });
});

describe("deployment plan: revisions, events, conditions", () => {
  it("words of scaling", () => {
    const sets = [setOf(V1, 3), setOf(V2, 1, 1, 2)];
    const messages = plan(observed(deployment(V2), sets), NOW).events?.map(
      (event) => event.message,
    );
    assert.deepEqual(messages, [`Scaled down replica set ${sets[0]!.metadata!.name} from 3 to 2`]);
  });

  it("revisions are 64-bit integers", () => {
    const old = setOf(V1, 3, 3, 1);
    const annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
    const adopted = { ...old, metadata: { ...old.metadata, annotations } };
    const { writes } = plan(observed(deployment(V2), [adopted]), NOW);
    const made = writes!.find(({ verb }) => verb === "create") as { object: ReplicaSet };
    assert.equal(
      made.object.metadata?.annotations?.["deployment.kubernetes.io/revision"],
      "3546343826724305833",
    );
  });

  it("a set that is rolled back to gets the next revision and remembers its own", () => {
    const sets = [setOf(V1, 0, 0, 1), setOf(V2, 3, 3, 2)];
    const { writes } = plan(observed(deployment(V1), sets), NOW);
    const set = (writes![0] as { object: ReplicaSet }).object;
    assert.equal(set.metadata?.annotations?.["deployment.kubernetes.io/revision"], "3");
    assert.equal(set.metadata?.annotations?.["deployment.kubernetes.io/revision-history"], "1");
    assert.equal(writes?.[1]?.verb, "patch", "the Deployment's own revision follows");
  });

  it("remembers no more revisions than fit", () => {
    const past = Array.from({ length: 1000 }, (_, i) => i % 10).join(",");
    const [old, ...others] = [setOf(V1, 0, 0, 1), setOf(V2, 3, 3, 2)];
    const annotations = {
      ...old!.metadata!.annotations,
      "deployment.kubernetes.io/revision-history": past,
    };
    const sets = [{ ...old!, metadata: { ...old!.metadata, annotations } }, ...others];
    const { writes } = plan(observed(deployment(V1), sets), NOW);
    const set = (writes![0] as { object: ReplicaSet }).object;
    const history = set.metadata?.annotations?.["deployment.kubernetes.io/revision-history"];
    assert.equal(history, `${past.slice("0,".length)},1`);
  });

  it("no progress for the deadline is told once it has passed, and looked at in time", () => {
    const at = (minute: number): Plan => {
      const conditions = [
        {
          type: "Progressing",
          status: "True",
          reason: "ReplicaSetUpdated",
          lastUpdateTime: "2026-01-01T01:00:00Z",
          lastTransitionTime: "2026-01-01T01:00:00Z",
        },
      ];
      const status = {
        replicas: 4,
        updatedReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 3,
        conditions,
      };
      const sets = [setOf(V1, 3), setOf(V2, 1, 0, 2)];
      const annotations = { "deployment.kubernetes.io/revision": "2" };
      return plan(
        observed({ ...deployment({ ...V2, annotations }), status }, sets),
        NOW + minute * 60_000,
      );
    };
    const reasonOf = (result: Plan): string | undefined =>
      (result.status as Deployment["status"])?.conditions?.find(
        ({ type }) => type === "Progressing",
      )?.reason;
    assert.equal(reasonOf(at(9)), "ReplicaSetUpdated");
    assert.equal(at(9).wakeAt, NOW + 601_000);
    assert.equal(reasonOf(at(11)), "ProgressDeadlineExceeded");
    assert.equal(at(11).wakeAt, undefined);
  });

  it("a pause is no lack of progress", () => {
    const { status } = plan(observed(deployment({ ...V1, paused: true }), [setOf(V1, 3)]), NOW);
    const progressing = (status as Deployment["status"])?.conditions?.find(
      ({ type }) => type === "Progressing",
    );
    assert.deepEqual(
      [progressing?.reason, progressing?.message],
      ["DeploymentPaused", "Deployment is paused"],
    );
  });
});

describe("deployment plan: safety over whole rollouts", () => {
  for (const [surge, unavailable] of [
    [1, 0],
    [0, 1],
    ["25%", "25%"],
    ["50%", 0],
    [3, 2],
  ] as const) {
    it(`maxSurge ${surge}, maxUnavailable ${unavailable}: bounds hold at every step, and it ends`, () => {
      for (let seed = 1; seed <= 5; seed++) rollOut({ surge, unavailable, replicas: 8 }, seed);
    });
  }
});

/** Rolls v1 → v2 → v3 (the last one in the middle) while Pods become available at random; checks every step. */
function rollOut(wish: Wish, seed: number): void {
  const random = new SeededRandom(seed);
  let sets: readonly ReplicaSet[] = [setOf({ ...wish, image: "v1" }, 8)];
  let owner = deployment({ ...wish, image: "v2" });
  for (let step = 0; step < 300; step++) {
    if (step === 20) owner = { ...owner, spec: deployment({ ...wish, image: "v3" }).spec! };
    const result = plan(observed(owner, sets), NOW + step * 1000);
    sets = applied(sets, result, step);
    owner = { ...owner, status: result.status as Deployment["status"] as object };
    const told = sets.reduce((sum, set) => sum + set.spec!.replicas!, 0);
    const available = sets.reduce(
      (sum, set) => sum + Math.min(set.status!.availableReplicas!, set.spec!.replicas!),
      0,
    );
    assert.ok(told <= 8 + maxSurge(owner), `seed ${seed}: ${told} told to run`);
    assert.ok(available >= 8 - maxUnavailable(owner), `seed ${seed}: ${available} available`);
    sets = sets.map((set) => becomeAvailable(set, random.integer(3)));
  }
  const running = sets.filter((set) => set.spec!.replicas! > 0);
  assert.deepEqual(
    running.map((set) => [set.spec!.template!.spec!.containers[0]!.image, set.spec!.replicas]),
    [["v3", 8]],
    `seed ${seed}`,
  );
}

function applied(sets: readonly ReplicaSet[], result: Plan, step: number): readonly ReplicaSet[] {
  let after = [...sets];
  for (const write of result.writes ?? []) {
    if (write.kind !== ReplicaSet) continue;
    if (write.verb === "create") {
      const object = write.object as ReplicaSet;
      const metadata = {
        ...object.metadata,
        uid: `u${step}`,
        creationTimestamp: `2026-01-02T00:00:${step % 60}Z`,
      };
      after.push({ ...object, metadata, status: { replicas: 0, availableReplicas: 0 } });
    } else if (write.verb === "update") {
      const object = write.object as ReplicaSet;
      after = after.map((set) => (set.metadata?.uid === object.metadata?.uid ? object : set));
    }
  }
  return after;
}

/** The set's Pods follow its size: surplus ones end at once (unavailable ones first), `count` more become available. */
function becomeAvailable(set: ReplicaSet, count: number): ReplicaSet {
  const replicas = set.spec!.replicas!;
  const available = Math.min(replicas, set.status!.availableReplicas! + count);
  return { ...set, status: { replicas, readyReplicas: available, availableReplicas: available } };
}
