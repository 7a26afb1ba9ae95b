import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { Service } from "../../api/core/service.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { V1ServiceSpec } from "../../gen/types.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { needsReplacement, withGiven } from "./services.ts";
import { partName, type Part, type WantedPart, type Workload } from "./wanted.ts";
import { hasOtherClaims, withKept } from "./workload.ts";

/**
 * The least writes that lead from what a stack has to what it asks for: what is too much goes first, so that a service that
 * becomes another kind does not run twice longer than it must.
 *
 * What is on its way out keeps its name until it has gone; its end leads to the next reconcile.
 */
export function changesOf(
  wanted: readonly WantedPart[],
  owned: readonly Part[],
  leaving: ReadonlySet<string>,
): readonly PlannedWrite[] {
  const names = new Set(wanted.map(partName));
  const there = new Map(owned.map((part) => [partName(part), part]));
  return [
    ...owned.filter((part) => !names.has(partName(part))).flatMap(removal),
    ...wanted.flatMap((part) => {
      const old = there.get(partName(part));
      if (old) return changeOf(part, old);
      return leaving.has(partName(part)) ? [] : [creation(part)];
    }),
  ];
}

function creation({ kind, object }: Part): PlannedWrite {
  return { verb: "create", kind, object };
}

function removal({ kind, object }: Part): readonly PlannedWrite[] {
  if (isBeingDeleted(object)) return [];
  const ifUid = object.metadata?.uid ?? "";
  return [{ verb: "delete", kind, key: keyOf(object), ifUid, propagation: "Background" }];
}

function changeOf(part: WantedPart, old: Part): readonly PlannedWrite[] {
  if (isBeingDeleted(old.object)) return [];
  const before = old.object.spec ?? {};
  const spec = part.object.spec ?? {};
  if (isAnother(part, spec, before)) return removal(old);
  const after =
    part.kind === Service
      ? withGiven(spec as V1ServiceSpec, before as V1ServiceSpec)
      : withKept(part.service, spec as Workload, before as Workload);
  const { labels = {} } = part.object.metadata ?? {};
  if (equalSemantic(after, before) && equalSemantic(labels, old.object.metadata?.labels)) return [];
  const metadata = { ...old.object.metadata, labels };
  const object = { ...old.object, metadata, spec: after };
  return [{ verb: "update", kind: part.kind, object }];
}

/** True when the old object cannot be changed into the new one: it goes, and the new one comes once it has gone. */
function isAnother({ kind }: Part, spec: object, before: object): boolean {
  if (kind === Service) return needsReplacement(spec as V1ServiceSpec, before as V1ServiceSpec);
  return kind === StatefulSet && hasOtherClaims(spec as Workload, before as Workload);
}
