import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { VolumeAttachment as VolumeAttachmentKind } from "../../api/storage/volume-attachment.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { attacherOf } from "./attacher.ts";

function attachment(
  metadata: object,
  attached = false,
  attacher = "d.example.com",
): VolumeAttachment {
  return {
    metadata: { name: "a", uid: "a", ...metadata },
    spec: { attacher, nodeName: "n", source: { persistentVolumeName: "v" } },
    status: { attached },
  };
}

/** The finalizers that are patched, and the status. */
function planned(one: VolumeAttachment): string {
  const { observe, plan } = attacherOf("d.example.com");
  const cache = new StaticCache().put(VolumeAttachmentKind, one);
  const observed = observe(cache, { namespace: "", name: "a" });
  if (!observed) return "not ours";
  const { writes = [], status } = plan(observed, 0);
  const patches = writes.map((write) => JSON.stringify("patch" in write && write.patch));
  return [...patches, ...(status ? [JSON.stringify(status)] : [])].join(" ");
}

describe("the attacher of a driver that needs to do nothing", () => {
  const finalizers = ["external-attacher/d-example-com"];
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  const FINALIZED = '{"metadata":{"finalizers":["external-attacher/d-example-com"]}}';
  const LET_GO =
    '{"metadata":{"$deleteFromPrimitiveList/finalizers":["external-attacher/d-example-com"]}}';
  for (const [what, one, expected] of [
    ["a new one", attachment({}), `${FINALIZED} {"attached":true}`],
    ["one that it holds", attachment({ finalizers }), '{"attached":true}'],
    ["one that is attached", attachment({ finalizers }, true), ""],
    ["one that goes", attachment({ finalizers, deletionTimestamp }, true), LET_GO],
    [
      "one that goes and is held by somebody else",
      attachment({ finalizers: ["x/y"], deletionTimestamp }, true),
      "",
    ],
    ["one of another driver", attachment({}, false, "other.example.com"), "not ours"],
  ] as const)
    it(what, () => assert.equal(planned(one), expected));
});
