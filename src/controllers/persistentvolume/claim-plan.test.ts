import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1PersistentVolumeClaim, V1PersistentVolumeSpec } from "../../gen/types.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { planClaim, type ClaimObserved } from "./claim-plan.ts";

/** A claim of 1Gi, `c` of namespace `d`, in words: `of CLASS`, `names VOLUME`, `bound`, `lost`, `selected`, `chosen`, `asked PROVISIONER`. */
function claim(words: string, spec: object = {}): V1PersistentVolumeClaim {
  const of = (word: string): string | undefined => new RegExp(`${word} (\\S*)`).exec(words)?.[1];
  const maker = of("asked");
  const className = of("of");
  const volumeName = of("names");
  const annotations = {
    ...(/bound|lost/.test(words) && { "pv.kubernetes.io/bind-completed": "yes" }),
    ...(/chosen/.test(words) && { "pv.kubernetes.io/bound-by-controller": "yes" }),
    ...(/selected/.test(words) && { "volume.kubernetes.io/selected-node": "n" }),
    ...(maker && {
      "volume.beta.kubernetes.io/storage-provisioner": maker,
      "volume.kubernetes.io/storage-provisioner": maker,
    }),
  };
  return {
    metadata: { name: "c", namespace: "d", uid: "u", resourceVersion: "7", annotations },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...(className !== undefined && { storageClassName: className === "none" ? "" : className }),
      ...(volumeName && { volumeName }),
      ...spec,
    },
    status: { phase: /bound/.test(words) ? "Bound" : /lost/.test(words) ? "Lost" : "Pending" },
  };
}

/** A volume in words: `NAME SIZE [of CLASS] [for CLAIM/UID] [PHASE]`; free ones are Available. */
function volume(words: string, spec: V1PersistentVolumeSpec = {}): PersistentVolume {
  const [name = "", storage = ""] = words.split(" ");
  const className = /of (\S+)/.exec(words)?.[1];
  const [claimName, uid] = /for (\S+)/.exec(words)?.[1]?.split("/") ?? [];
  return {
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ["ReadWriteOnce"],
      ...(className && { storageClassName: className }),
      ...(claimName && { claimRef: { namespace: "d", name: claimName, ...(uid && { uid }) } }),
      ...spec,
    },
    status: { phase: /Pending|Released/.exec(words)?.[0] ?? "Available" },
  };
}

const storageClass = (provisioner: string, volumeBindingMode = "Immediate"): StorageClass => ({
  metadata: { name: "fast" },
  provisioner,
  volumeBindingMode,
});

function seen(of: V1PersistentVolumeClaim, parts: Partial<ClaimObserved> = {}): ClaimObserved {
  return {
    claim: of,
    volume: undefined,
    candidates: [],
    storageClass: undefined,
    defaultClass: undefined,
    waitingPods: () => [],
    ...parts,
  };
}

/** What a plan does, in one line: objects that are written with what is said of bonds, the new phase, events. */
function told({ writes = [], status, events = [] }: Plan, before: string): string {
  const parts = writes.map((write) => {
    if (write.verb !== "update") return write.verb;
    const { metadata, spec } = write.object as V1PersistentVolumeClaim & PersistentVolume;
    const { annotations = {} } = metadata ?? {};
    const marks = [
      annotations["pv.kubernetes.io/bind-completed"] && "complete",
      annotations["pv.kubernetes.io/bound-by-controller"] && "chosen",
      annotations["volume.kubernetes.io/storage-provisioner"],
    ].filter(Boolean);
    const bond = spec?.claimRef
      ? `→${spec.claimRef.uid}`
      : spec?.volumeName
        ? `→${spec.volumeName}`
        : ` of ${spec?.storageClassName}`;
    return [metadata?.name + bond, ...marks].join(" ");
  });
  const phase = (status as { phase?: string } | undefined)?.phase;
  const news = phase && phase !== before ? [phase] : [];
  return [...parts, ...news, ...events.map(({ reason }) => reason)].join("; ");
}

function row(what: string, observed: ClaimObserved, expected: string): void {
  it(`${what} → ${expected || "nothing"}`, () =>
    assert.equal(told(planClaim(observed, 0), observed.claim.status!.phase!), expected));
}

const got = (...volumes: PersistentVolume[]) => ({ candidates: volumes });
const BOUND = (name: string): string => `${name}→u chosen; c→${name} complete chosen; Bound`;

describe("a claim that names no volume", () => {
  row("nothing there", seen(claim("of none")), "FailedBinding");
  row("one that fits", seen(claim("of none"), got(volume("a 1Gi"))), BOUND("a"));
  row(
    "the smallest that fits",
    seen(claim("of none"), got(volume("a 5Gi"), volume("b 2Gi"), volume("c 3Gi"))),
    BOUND("b"),
  );
  row(
    "of equal ones the first",
    seen(claim(""), got(volume("b 1Gi"), volume("a 1Gi"))),
    BOUND("a"),
  );
  row("too small", seen(claim("of none"), got(volume("a 512Mi"))), "FailedBinding");
  row(
    "of the modes that allow least, though larger",
    seen(
      claim(""),
      got(volume("a 1Gi", { accessModes: ["ReadWriteMany", "ReadWriteOnce"] }), volume("b 2Gi")),
    ),
    BOUND("b"),
  );
  row(
    "without its mode",
    seen(claim("", { accessModes: ["ReadWriteMany"] }), got(volume("a 1Gi"))),
    "FailedBinding",
  );
  row("a device", seen(claim(""), got(volume("a 1Gi", { volumeMode: "Block" }))), "FailedBinding");
  row(
    "of other attributes",
    seen(claim(""), got(volume("a 1Gi", { volumeAttributesClassName: "gold" }))),
    "FailedBinding",
  );
  row("not looked at yet", seen(claim(""), got(volume("a 1Gi Pending"))), "FailedBinding");
  row("another's", seen(claim(""), got(volume("a 1Gi for c/other"))), "FailedBinding");
  row(
    "reserved for it, though larger",
    seen(claim(""), got(volume("a 1Gi"), volume("b 9Gi for c"))),
    "b→u; c→b complete chosen; Bound",
  );
  row(
    "going",
    seen(claim(""), got({ ...volume("a 1Gi"), metadata: { name: "a", deletionTimestamp: "x" } })),
    "FailedBinding",
  );
  const picky = claim("", { selector: { matchLabels: { disk: "ssd" } } });
  const ssd = { ...volume("b 2Gi"), metadata: { name: "b", labels: { disk: "ssd" } } };
  row("by its selector", seen(picky, got(volume("a 1Gi"), ssd)), BOUND("b"));
});

describe("a claim of a class", () => {
  const fast = (provisioner: string, mode?: string) => ({
    storageClass: storageClass(provisioner, mode),
  });
  row("that is not there", seen(claim("of fast")), "ProvisioningFailed");
  row(
    "nobody provisions",
    seen(claim("of fast"), fast("kubernetes.io/no-provisioner")),
    "ProvisioningFailed",
  );
  row("a driver provisions", seen(claim("of fast"), fast("x.example")), "c of fast x.example");
  row(
    "a driver was asked",
    seen(claim("of fast asked x.example"), fast("x.example")),
    "ExternalProvisioning",
  );
  row(
    "a built-in one's driver",
    seen(claim("of fast"), fast("kubernetes.io/aws-ebs")),
    "c of fast ebs.csi.aws.com",
  );
  row(
    "the cluster's own was asked",
    seen(claim("of fast asked volumes.skiff.dev"), fast("volumes.skiff.dev")),
    "",
  );
  row(
    "the volume is there",
    seen(claim("of fast asked x.example"), {
      ...fast("x.example"),
      ...got(volume("pvc-u 1Gi of fast for c/u Pending")),
    }),
    "c→pvc-u complete chosen x.example; Bound",
  );
  const late = fast("x.example", "WaitForFirstConsumer");
  row("that waits for a Pod", seen(claim("of fast"), late), "WaitForFirstConsumer");
  row(
    "that waits, with a free volume",
    seen(claim("of fast"), { ...late, ...got(volume("a 1Gi of fast")) }),
    "WaitForFirstConsumer",
  );
  row(
    "that waits, with a Pod",
    seen(claim("of fast"), { ...late, waitingPods: () => ["p"] }),
    "WaitForPodScheduled",
  );
  row("whose Pod has a node", seen(claim("of fast selected"), late), "c of fast x.example");
  row(
    "whose Pod was given a volume",
    seen(claim("of fast"), { ...late, ...got(volume("a 1Gi of fast for c/u")) }),
    "c→a complete chosen; Bound",
  );
  const byDefault = { defaultClass: storageClass("x.example") };
  row("that it gets only now", seen(claim(""), byDefault), "c of fast");
  row("it wants none", seen(claim("of none"), byDefault), "FailedBinding");
  row(
    "it has a volume without one",
    seen(claim(""), { ...byDefault, ...got(volume("a 1Gi")) }),
    BOUND("a"),
  );
  row(
    "of a volume of another",
    seen(claim("of none"), got(volume("a 1Gi of fast"))),
    "FailedBinding",
  );

  it("says whose turn it is in upstream's words", () => {
    const message = (observed: ClaimObserved): string | undefined =>
      planClaim(observed, 0).events?.[0]?.message;
    assert.equal(
      message(seen(claim("of fast"), late)),
      "waiting for first consumer to be created before binding",
    );
    assert.equal(
      message(seen(claim("of fast"), { ...late, waitingPods: () => ["p", "q"] })),
      "waiting for pods p,q to be scheduled",
    );
    assert.equal(message(seen(claim("of fast"))), 'storageclass.storage.k8s.io "fast" not found');
    assert.equal(
      message(seen(claim(""))),
      "no persistent volumes available for this claim and no storage class is set",
    );
    assert.equal(
      message(seen(claim("of fast asked x.example"), fast("x.example"))),
      "Waiting for a volume to be created either by the external provisioner 'x.example' or manually by the " +
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    );
  });

  it("reminds every five minutes of what it waits for", () =>
    assert.equal(planClaim(seen(claim("of fast"), late), 1000).wakeAt, 301_000));
});

describe("a claim that names a volume", () => {
  const named = (words: string, of = "names a of none") =>
    seen(claim(of), { volume: volume(words) });
  row("not there", seen(claim("names a")), "");
  row("free", named("a 1Gi"), "a→u chosen; c→a complete; Bound");
  row("reserved for it", named("a 1Gi for c"), "a→u; c→a complete; Bound");
  row("given to it", named("a 1Gi for c/u"), "c→a complete; Bound");
  row("given to another", named("a 1Gi for x/y"), "FailedBinding");
  row("given to its predecessor", named("a 1Gi for c/old"), "FailedBinding");
  row("too small", named("a 1Mi"), "VolumeMismatch");
  row("of another class", named("a 1Gi of fast"), "VolumeMismatch");
  const unusable = { csi: { driver: "volumes.skiff.dev", volumeHandle: "a/b" } };
  for (const words of ["a 1Gi", "a 1Gi for c", "a 1Gi for c/u"])
    row(
      `${words}, whose handle names no folder`,
      seen(claim("names a of none"), { volume: volume(words, unusable) }),
      "VolumeMismatch",
    );
  for (const words of ["a 1Gi", "a 1Gi for c"])
    row(
      `${words}, that it does not name, whose handle names no folder`,
      seen(claim("of none"), got(volume(words, unusable))),
      "FailedBinding",
    );
  it("says what does not fit", () => {
    const why = (spec: V1PersistentVolumeSpec): string | undefined =>
      planClaim(seen(claim("names a"), { volume: volume("a 1Gi", spec) }), 0).events?.[0]?.message;
    const cannot = 'Cannot bind to requested volume "a": ';
    assert.equal(why({ capacity: { storage: "1" } }), `${cannot}requested PV is too small`);
    assert.equal(why({ storageClassName: "x" }), `${cannot}storageClassName does not match`);
    assert.equal(why({ volumeMode: "Block" }), `${cannot}incompatible volumeMode`);
    assert.equal(why({ accessModes: ["ReadOnlyMany"] }), `${cannot}incompatible accessMode`);
  });
});

describe("a claim that was bound", () => {
  row("all is well", seen(claim("names a bound"), { volume: volume("a 1Gi for c/u") }), "");
  row("its volume has gone", seen(claim("names a bound")), "Lost; ClaimLost");
  row("it names none any more", seen(claim("bound")), "Lost; ClaimLost");
  row(
    "its volume is another's",
    seen(claim("names a bound"), { volume: volume("a 1Gi for x/y") }),
    "Lost; ClaimMisbound",
  );
  row(
    "its volume names nobody",
    seen(claim("names a bound"), { volume: volume("a 1Gi") }),
    "a→u chosen",
  );
  row("lost before", seen(claim("names a lost")), "");
  row(
    "lost, and the volume is back",
    seen(claim("names a lost"), { volume: volume("a 1Gi for c/u") }),
    "Bound",
  );

  it("has modes and size of its volume, and later keeps a size of its own", () => {
    const held = volume("a 5Gi for c/u");
    const first = planClaim(seen(claim("names a"), { volume: held }), 0);
    assert.deepEqual(first.status, {
      phase: "Bound",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "5Gi" },
    });
    const bound = {
      ...claim("names a bound"),
      status: { phase: "Bound", capacity: { storage: "1Gi" } },
    };
    const later = planClaim(seen(bound, { volume: held }), 0);
    assert.deepEqual(later.status, { ...bound.status, accessModes: ["ReadWriteOnce"] });
    assert.deepEqual(later.writes, []);
  });

  it("has the size of a file system that has not grown with its volume", () => {
    const annotations = { "volume.alpha.kubernetes.io/pre-resize-capacity": "1Gi" };
    const held = { ...volume("a 2Gi for c/u"), metadata: { name: "a", annotations } };
    const { status } = planClaim(seen(claim("names a"), { volume: held }), 0);
    assert.deepEqual((status as { capacity: object }).capacity, { storage: "1Gi" });
  });

  it("stays as it was when a write fails", () => {
    const { statusOnFailure } = planClaim(seen(claim(""), got(volume("a 1Gi"))), 0);
    assert.deepEqual(statusOnFailure?.({} as never), { phase: "Pending" });
  });
});
