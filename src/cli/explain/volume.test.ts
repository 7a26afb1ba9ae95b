import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from "../../gen/types.ts";
import type { Happening } from "./finding.ts";
import { explainClaim, explainVolume, leaving, type StorageExplanation } from "./volume.ts";

const lines = ({ summary, findings }: StorageExplanation): readonly string[] => [
  summary,
  ...findings.flatMap(({ problem, remedy }) => [problem, ...(remedy ? [remedy] : [])]),
];

const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z" } as unknown as object;

describe("explainClaim", () => {
  const claim = (phase: string, metadata: object = {}): V1PersistentVolumeClaim =>
    ({
      metadata: { name: "data", ...metadata },
      spec: { volumeName: phase === "Pending" ? undefined : "v", storageClassName: "fast" },
      status: { phase },
    }) as V1PersistentVolumeClaim;
  const user = (name: string, spec: object, phase = "Running"): V1Pod =>
    pod(name, { spec: { containers: [], ...spec }, status: { phase } });
  const volumes = [{ name: "d", persistentVolumeClaim: { claimName: "data" } }];
  const users = [
    user("b", { volumes }),
    user("a", { volumes }),
    user("done", { volumes }, "Succeeded"),
    user("other", { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "else" } }] }),
  ];
  const event = (reason: string, message: string): Happening => ({ reason, message });

  const rows: readonly (readonly [
    string,
    V1PersistentVolumeClaim,
    readonly V1Pod[],
    readonly Happening[],
    readonly string[],
  ])[] = [
    ["bound and used", claim("Bound"), users, [], ["It has the volume v; a, b use it."]],
    ["bound", claim("Bound"), [], [], ["It has the volume v; no Pod uses it."]],
    [
      "of a generic ephemeral volume",
      claim("Bound", { name: "a-scratch" }),
      [user("a", { volumes: [{ name: "scratch", ephemeral: {} }] })],
      [],
      ["It has the volume v; a use it."],
    ],
    [
      "deleted while Pods use it",
      claim("Bound", GOING),
      users,
      [],
      [
        "It is being deleted, and stays while Pods use it.",
        "used by a, b",
        "kubectl delete pod a b",
      ],
    ],
    [
      "of another namespace, deleted while Pods use it",
      claim("Bound", { ...GOING, namespace: "shop" }),
      users,
      [],
      [
        "It is being deleted, and stays while Pods use it.",
        "used by a, b",
        "kubectl delete pod a b -n shop",
      ],
    ],
    [
      "of a class that there is not",
      claim("Pending"),
      [],
      [event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')],
      [
        "It has no volume yet.",
        'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found',
        "a class that there is: kubectl get storageclass",
      ],
    ],
    ...[
      'failed to provision volume with StorageClass "fast": the driver has folders, no block devices',
      'failed to provision volume with StorageClass "fast": secrets "key" not found',
    ].map(
      (message) =>
        [
          `that cannot be provided: ${message}`,
          claim("Pending"),
          [],
          [event("ProvisioningFailed", message)],
          ["It has no volume yet.", `ProvisioningFailed: ${message}`],
        ] as const,
    ),
    [
      "waiting for a Pod",
      claim("Pending"),
      [],
      [event("WaitForFirstConsumer", "waiting for first consumer")],
      [
        "It has no volume yet.",
        "WaitForFirstConsumer: waiting for first consumer",
        "a Pod that uses it: its class makes volumes where the Pod goes",
      ],
    ],
    [
      "of a driver that does not run",
      claim("Pending"),
      [],
      [event("Normal", "x"), event("ExternalProvisioning", "waits")],
      [
        "It has no volume yet.",
        "ExternalProvisioning: waits",
        "the provisioner of its class would have to run: kubectl get storageclass fast",
      ],
    ],
    ["new", claim("Pending"), [], [], ["It has no volume yet."]],
    ["lost", claim("Lost"), [], [], ["Its volume v is gone, and the data with it."]],
  ];
  for (const [what, subject, pods, events, expected] of rows)
    it(what, () => assert.deepEqual(lines(explainClaim(subject, pods, events)), expected));
});

describe("explainVolume", () => {
  const GIVEN = { claimRef: { namespace: "n", name: "c", uid: "u" } };
  const volume = (
    phase: string,
    policy: string,
    more: object = {},
    claim: object = GIVEN,
  ): V1PersistentVolume =>
    ({
      metadata: { name: "v", ...more },
      spec: {
        persistentVolumeReclaimPolicy: policy,
        ...claim,
      },
      status: { phase, ...(phase === "Failed" && { message: "no such disk" }) },
    }) as V1PersistentVolume;

  const rows: readonly (readonly [string, V1PersistentVolume, readonly string[]])[] = [
    ["bound", volume("Bound", "Delete"), ["The claim n/c has it."]],
    ["free", volume("Available", "Retain"), ["No claim has it yet."]],
    [
      "deleted while bound",
      volume("Bound", "Delete", GOING),
      [
        "It is being deleted, and stays until its claim n/c is gone.",
        "n/c has it",
        "kubectl delete pvc c -n n",
      ],
    ],
    [
      "retained",
      volume("Released", "Retain"),
      [
        "Its claim n/c is gone; by its policy Retain it stays, with its data, for nobody else.",
        "no claim can have it",
        `kubectl patch pv v --type=json -p '[{"op":"remove","path":"/spec/claimRef"}]' offers it again; kubectl delete pv v forgets it and leaves the data`,
      ],
    ],
    [
      "going",
      volume("Released", "Delete", GOING),
      ["Its claim n/c is gone, and it is being deleted with its data."],
    ],
    [
      "not deleted",
      volume("Failed", "Delete"),
      [
        "Its claim n/c is gone, and it could not be deleted.",
        "no such disk",
        "kubectl delete pv v, and its data by hand",
      ],
    ],
    ...[{}, { claimRef: { namespace: "n", name: "c" } }].map(
      (claim) =>
        [
          `that cannot be mounted, of ${JSON.stringify(claim)}`,
          volume("Failed", "Retain", {}, claim),
          ["It can be nobody's.", "no such disk", "kubectl delete pv v, and another in its place"],
        ] as const,
    ),
  ];
  for (const [what, subject, expected] of rows)
    it(what, () => assert.deepEqual(lines(explainVolume(subject)), expected));
});

describe("leaving", () => {
  it("names the finalizers that an object waits for", () => {
    assert.deepEqual(lines(leaving(["a/b", "c/d"])), [
      "It is being deleted.",
      "it waits for who put the finalizers a/b, c/d on it",
    ]);
    assert.deepEqual(lines(leaving([])), ["It is being deleted."]);
  });
});
