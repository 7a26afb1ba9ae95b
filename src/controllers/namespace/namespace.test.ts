import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { Lease } from "../../api/coordination/lease.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import type { Namespace } from "../../api/core/namespace.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { plan } from "./namespace.ts";

const NOW = Date.UTC(2026, 0, 1);

function namespace(
  finalizers: readonly string[] = ["kubernetes"],
  own?: readonly string[],
): Namespace {
  return {
    metadata: {
      name: "d",
      uid: "n",
      deletionTimestamp: "2026-01-01T00:00:00Z",
      ...(own && { finalizers: own }),
    },
    spec: { finalizers },
    status: { phase: "Terminating" },
  };
}

const thing = (name: string, deleting = false, finalizers?: readonly string[]): KubeObject => ({
  metadata: {
    name,
    namespace: "d",
    uid: name,
    ...(finalizers && { finalizers }),
    ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  },
});

function run(
  content: readonly (readonly [Kind, readonly KubeObject[]])[],
  ns = namespace(),
  isCurrent = true,
): Plan {
  return plan({ namespace: ns, content: new Map(content), isCurrent }, NOW);
}

function words({ writes = [] }: Plan): string {
  return writes
    .map((write) =>
      write.verb === "delete"
        ? `delete ${write.key.name}`
        : `${write.verb}/${"subresource" in write ? write.subresource : ""}`,
    )
    .join(", ");
}

function conditions(result: Plan): Record<string, string> {
  const list = (result.status as Namespace["status"])?.conditions ?? [];
  return Object.fromEntries(
    list.map(({ type, status, message }) => [type, `${status}: ${message}`]),
  );
}

describe("namespace plan", () => {
  it("Pods go first, the rest when none is left", () => {
    const maps = [ConfigMap, [thing("m")]] as const;
    assert.equal(words(run([[Pod, [thing("p")]], maps])), "delete p");
    assert.equal(words(run([[Pod, [thing("p", true)]], maps])), "", "what is going is waited for");
    assert.equal(words(run([[Pod, []], maps, [ReplicaSet, [thing("r")]]])), "delete m, delete r");
  });

  it("empty: the finalizer goes, and nothing is written to what is then gone", () => {
    const result = run([[Pod, []]]);
    assert.equal(words(result), "update/finalize");
    assert.equal(result.status, undefined);
    const [write] = result.writes!;
    assert.deepEqual((write as { object: Namespace }).object.spec?.finalizers, []);
  });

  it("another finalizer keeps the namespace, which then says that it is empty", () => {
    const result = run([[Pod, []]], namespace(["kubernetes", "mine"]));
    assert.equal(words(result), "update/finalize");
    assert.equal(
      conditions(result).NamespaceContentRemaining,
      "False: All content successfully removed",
    );
  });

  it("caches that are behind: not yet", () => {
    const result = run([[Pod, []]], namespace(), false);
    assert.equal(words(result), "");
    assert.equal(result.wakeAt, NOW + 50);
  });

  it("without our finalizer there is nothing to do", () => {
    assert.deepEqual(run([[Pod, [thing("p")]]], namespace([])), {});
  });

  it("says what remains, and on which finalizers it waits", () => {
    const result = run([
      [Lease, [thing("l", true)]],
      [ConfigMap, [thing("a", true, ["x/y"]), thing("b", true, ["x/y"])]],
    ]);
    assert.deepEqual(conditions(result), {
      NamespaceDeletionDiscoveryFailure: "False: All resources successfully discovered",
      NamespaceDeletionGroupVersionParsingFailure:
        "False: All legacy kube types successfully parsed",
      NamespaceDeletionContentFailure:
        "False: All content successfully deleted, may be waiting on finalization",
      NamespaceContentRemaining:
        "True: Some resources are remaining: configmaps. has 2 resource instances, leases.coordination.k8s.io has 1 resource instances",
      NamespaceFinalizersRemaining:
        "True: Some content in the namespace has finalizers remaining: x/y in 2 resource instances",
    });
  });

  it("says which delete failed", () => {
    const result = run([[ConfigMap, [thing("a")]]]);
    const status = result.statusOnFailure!({ write: result.writes![0]!, message: "no" });
    assert.equal(
      conditions({ status }).NamespaceDeletionContentFailure,
      "True: Failed to delete all resource types, 1 remaining: no",
    );
  });
});
