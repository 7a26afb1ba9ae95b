import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import {
  attachmentName,
  FORCED_DETACH_MS,
  NOTHING_REMEMBERED,
  planAttachments,
  uniqueName,
  type KnownAttachment,
  type Memory,
  type Observed,
  type WantedVolume,
} from "./plan-attachments.ts";

const NOW = Date.UTC(2026, 0, 1);
const MANAGED = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };

function volume(name: string, ...accessModes: string[]): PersistentVolume {
  const modes = accessModes.length > 0 ? accessModes : ["ReadWriteOnce"];
  const csi = { driver: "d.example", volumeHandle: `h-${name}` };
  return { metadata: { name }, spec: { accessModes: modes, csi } };
}

interface NodeParts {
  readonly ready?: string;
  readonly inUse?: string;
  readonly attached?: string;
  readonly taint?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const uniques = (names = ""): string[] =>
  names
    .split(" ")
    .filter(Boolean)
    .map((name) => uniqueName(volume(name)));

function node(parts: NodeParts = {}): Node {
  const { ready = "True", inUse, attached, taint, annotations = MANAGED } = parts;
  return {
    metadata: { name: "n", uid: "n", annotations },
    spec: taint ? { taints: [{ key: taint, effect: "NoExecute" }] } : {},
    status: {
      conditions: [{ type: "Ready", status: ready }],
      volumesInUse: uniques(inUse),
      volumesAttached: uniques(attached).map((name) => ({ name, devicePath: "" })),
    },
  };
}

function pod(name: string, namespace = "d"): Pod {
  return { metadata: { name, namespace, uid: name }, spec: { containers: [] } };
}

const FREE: WantedVolume["elsewhere"] = { isAttached: false, pods: [] };

function wants(
  one: PersistentVolume,
  elsewhere: WantedVolume["elsewhere"] = FREE,
  ...pods: Pod[]
): WantedVolume {
  return { volume: one, pods: pods.length > 0 ? pods : [pod("p")], elsewhere };
}

/** `v`: it is there; `v+`: attached; `v-`: going. */
function has(text: string, isVolumeGone = false, attachError?: string): KnownAttachment {
  const [, name = "", mark = ""] = /^(\w+)([+-]?)$/.exec(text)!;
  const one = volume(name);
  const attachment: VolumeAttachment = {
    metadata: {
      name: attachmentName(one, "n"),
      uid: `uid-${name}`,
      ...(mark === "-" && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
    spec: { attacher: "d.example", nodeName: "n", source: { persistentVolumeName: name } },
    status: {
      attached: mark === "+",
      ...(attachError && { attachError: { message: attachError } }),
    },
  };
  return { attachment, volume: isVolumeGone ? undefined : one };
}

const idle = (name: string, ms: number): Memory => ({
  ...NOTHING_REMEMBERED,
  idleSince: new Map([[attachmentName(volume(name), "n"), NOW - ms]]),
});

/** What is planned, in words: volumes that the node is told of, `+v` asked for, `-v` detached. */
function planned(parts: Partial<Observed>): string {
  const observed: Observed = {
    name: "n",
    node: node(),
    wanted: [],
    attachments: [],
    memory: NOTHING_REMEMBERED,
    ...parts,
  };
  const { plan } = planAttachments(observed, NOW);
  const names = new Map(["v", "w"].map((name) => [attachmentName(volume(name), "n"), name]));
  const words = (plan.writes ?? []).map((write) => {
    if (write.verb === "create") return `+${names.get(write.object.metadata!.name!)}`;
    if (write.verb === "delete") return `-${names.get(write.key.name)}`;
    const { status } = (
      write as { patch: { status: { volumesAttached: { name: string }[] | null } } }
    ).patch;
    const listed = (status.volumesAttached ?? []).map((one) => one.name.replace(/.*h-/, ""));
    return `[${listed.join(" ")}]`;
  });
  if (plan.wakeAt !== undefined) words.push(`wake ${plan.wakeAt - NOW}`);
  return words.join(" ");
}

describe("planAttachments", () => {
  const gone = { wanted: [], attachments: [has("v+")] };
  const silent = { ready: "Unknown", attached: "v", inUse: "v" };
  for (const [what, observed, expected] of [
    ["nothing", {}, ""],
    ["a Pod needs a volume", { wanted: [wants(volume("v"))] }, "+v"],
    ["it is asked for", { wanted: [wants(volume("v"))], attachments: [has("v")] }, ""],
    ["it is attached", { wanted: [wants(volume("v"))], attachments: [has("v+")] }, "[v]"],
    [
      "the node knows it",
      { node: node({ attached: "v" }), wanted: [wants(volume("v"))], attachments: [has("v+")] },
      "",
    ],
    [
      "its list keeps its order",
      {
        node: node({ attached: "w" }),
        wanted: [wants(volume("v")), wants(volume("w"))],
        attachments: [has("v+"), has("w+")],
      },
      "[w v]",
    ],
    [
      "what was attached by nobody is not there",
      { node: node({ attached: "v" }), wanted: [wants(volume("v"))] },
      "[] +v",
    ],
    [
      "an old attachment is still going",
      { node: node({ attached: "v" }), wanted: [wants(volume("v"))], attachments: [has("v-")] },
      "[]",
    ],
    [
      "a node that attaches by itself",
      { node: node({ annotations: {} }), wanted: [wants(volume("v"))] },
      "",
    ],
    [
      "nobody needs it, the node uses it",
      { ...gone, node: node({ attached: "v", inUse: "v" }) },
      "",
    ],
    ["… and the node was not told yet", { ...gone, node: node({ inUse: "v" }) }, "[v]"],
    ["the node has let go: it is told first", { ...gone, node: node({ attached: "v" }) }, "[]"],
    ["… then it is detached", { ...gone, node: node() }, "-v"],
    ["it was never attached", { wanted: [], attachments: [has("v")] }, "-v"],
    ["the node is silent", { ...gone, node: node(silent) }, `wake ${FORCED_DETACH_MS}`],
    [
      "… for almost six minutes",
      { ...gone, node: node(silent), memory: idle("v", FORCED_DETACH_MS - 1) },
      "wake 1",
    ],
    [
      "… for six minutes",
      { ...gone, node: node(silent), memory: idle("v", FORCED_DETACH_MS) },
      "[]",
    ],
    [
      "… for six minutes, and was told",
      {
        ...gone,
        node: node({ ...silent, attached: "" }),
        memory: idle("v", FORCED_DETACH_MS),
      },
      "-v",
    ],
    [
      "a node that is ready keeps what it uses for ever",
      {
        ...gone,
        node: node({ attached: "v", inUse: "v" }),
        memory: idle("v", 2 * FORCED_DETACH_MS),
      },
      "",
    ],
    [
      "the node is out of service",
      { ...gone, node: node({ ...silent, taint: "node.kubernetes.io/out-of-service" }) },
      "[]",
    ],
    ["the node is gone", { ...gone, node: undefined }, `wake ${FORCED_DETACH_MS}`],
    ["… for six minutes", { ...gone, node: undefined, memory: idle("v", FORCED_DETACH_MS) }, "-v"],
    [
      "the volume is gone, the node uses it",
      { attachments: [has("v+", true)], node: node({ attached: "v", inUse: "v" }) },
      "",
    ],
    ["the volume is gone", { attachments: [has("v+", true)], node: node({ attached: "v" }) }, "[]"],
    ["the volume is gone, the node was told", { attachments: [has("v+", true)] }, "-v"],
    ["another node has it", { wanted: [wants(volume("v"), { isAttached: true, pods: [] })] }, ""],
    [
      "another node has one for many",
      { wanted: [wants(volume("v", "ReadWriteMany"), { isAttached: true, pods: [] })] },
      "+v",
    ],
    [
      "another node has one that is only read",
      { wanted: [wants(volume("v", "ReadOnlyMany"), { isAttached: true, pods: [] })] },
      "+v",
    ],
    [
      "another node has one for one Pod",
      { wanted: [wants(volume("v", "ReadWriteOncePod"), { isAttached: true, pods: [] })] },
      "",
    ],
  ] as readonly (readonly [string, Partial<Observed>, string])[])
    it(`${what} → "${expected}"`, () => assert.equal(planned(observed), expected));
});

describe("what Pods are told", () => {
  const told = (
    wanted: readonly WantedVolume[],
    attachments: readonly KnownAttachment[] = [],
    memory = NOTHING_REMEMBERED,
  ): { events: readonly string[]; memory: Memory } => {
    const observed = { name: "n", node: node(), wanted, attachments, memory };
    const decided = planAttachments(observed, NOW);
    const events = (decided.plan.events ?? []).map(
      ({ reason, message, regarding }) => `${regarding?.metadata?.name} ${reason}: ${message}`,
    );
    return { events, memory: decided.memory };
  };
  const elsewhere = (...pods: Pod[]) => ({ isAttached: true, pods });

  it("that a volume is attached", () => {
    const { events } = told([wants(volume("v"), FREE, pod("p"), pod("q"))], [has("v+")]);
    assert.deepEqual(
      events,
      ["p", "q"].map(
        (name) => `${name} SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "v" `,
      ),
    );
  });

  for (const [what, others, expected] of [
    [
      "nobody who can be named",
      [],
      "Volume is already exclusively attached to one node and can't be attached to another",
    ],
    ["Pods", [pod("a"), pod("b")], "Volume is already used by pod(s) a, b"],
    [
      "Pods here and elsewhere",
      [pod("a"), pod("b", "x")],
      "Volume is already used by pod(s) a and 1 pod(s) in different namespaces",
    ],
    [
      "Pods elsewhere",
      [pod("a", "x"), pod("b", "x")],
      "Volume is already used by 2 pod(s) in different namespaces",
    ],
  ] as const)
    it(`that ${what} has it, once`, () => {
      const wanted = [wants(volume("v"), elsewhere(...others))];
      const first = told(wanted);
      assert.deepEqual(first.events, [
        `p FailedAttachVolume: Multi-Attach error for volume "v" ${expected}`,
      ]);
      const second = told(wanted, [], first.memory);
      assert.deepEqual(second.events, []);
      const between = told([], [], second.memory);
      assert.equal(told(wanted, [], between.memory).events.length, 1);
    });

  it("why a driver could not attach, once", () => {
    const failed = has("v", false, "no slot");
    const first = told([wants(volume("v"))], [failed]);
    assert.deepEqual(first.events, [
      'p FailedAttachVolume: AttachVolume.Attach failed for volume "v" : no slot',
    ]);
    assert.deepEqual(told([wants(volume("v"))], [failed], first.memory).events, []);
  });
});

it("names are upstream's", () => {
  const csi = { driver: "csi.example.com", volumeHandle: "vol-1" };
  const one: PersistentVolume = { metadata: { name: "v" }, spec: { csi } };
  assert.equal(uniqueName(one), "kubernetes.io/csi/csi.example.com^vol-1");
  assert.equal(
    attachmentName(one, "node-1"),
    "csi-b74c7fc125891ffa0d0f2e0d645733e3fae7fba3066e76500a771ea08be9da28",
  );
});
