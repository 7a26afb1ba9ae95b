import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1StatefulSet, V1StatefulSetSpec, V1StatefulSetStatus } from "../../gen/types.ts";
import { statefulSetResource } from "./stateful-set.ts";

const { strategy, subresources, columns, olderVersions } = statefulSetResource;

const LABELS = { app: "web" };
const bare = (spec: Partial<V1StatefulSetSpec> = {}): V1StatefulSet => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image: "i" }] } },
    ...spec,
  },
});
const complete = (spec: Partial<V1StatefulSetSpec> = {}): V1StatefulSet =>
  strategy.withDefaults(bare(spec));

const data = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

function row(spec: object, ...expected: string[]): void {
  it(JSON.stringify(spec), () =>
    assert.deepEqual(errorLines(strategy.validate(complete(spec))), expected),
  );
}

describe("defaults of a StatefulSet", () => {
  it("are upstream's", () => {
    const { template, selector, ...spec } = complete({ volumeClaimTemplates: [data] }).spec!;
    assert.deepEqual(spec, {
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      replicas: 1,
      revisionHistoryLimit: 10,
      volumeClaimTemplates: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          ...data,
          spec: { ...data.spec, volumeMode: "Filesystem" },
          status: { phase: "Pending" },
        },
      ],
    });
    assert.equal(template.spec!.restartPolicy, "Always");
    assert.deepEqual(selector, { matchLabels: LABELS });
  });

  it("change nothing the second time", () => {
    const once = complete({ volumeClaimTemplates: [data] });
    assert.equal(strategy.withDefaults(once), once);
  });

  it("leave a strategy that is named without numbers", () => {
    const typeOnly = { type: "RollingUpdate" };
    assert.deepEqual(complete({ updateStrategy: typeOnly }).spec!.updateStrategy, typeOnly);
    const { updateStrategy } = complete({ updateStrategy: { type: "OnDelete" } }).spec!;
    assert.deepEqual(updateStrategy, { type: "OnDelete" });
  });

  it("of apps/v1beta1 are those of its time", () => {
    const first = olderVersions!.find(({ version }) => version === "v1beta1")!;
    const { selector: _, ...spec } = bare().spec!;
    const { metadata, spec: hub } = strategy.withDefaults(
      first.toHub!({ ...bare(), spec } as V1StatefulSet),
    );
    assert.deepEqual(hub!.updateStrategy, { type: "OnDelete" });
    assert.deepEqual([hub!.selector, metadata!.labels], [{ matchLabels: LABELS }, LABELS]);
  });
});

describe("a StatefulSet", () => {
  row({ volumeClaimTemplates: [data] });
  row({ replicas: -1 }, "spec.replicas Invalid: must be greater than or equal to 0");
  row({ selector: {} }, "spec.selector Invalid: empty selector is invalid for statefulset");
  row(
    { podManagementPolicy: "Random" },
    "spec.podManagementPolicy Invalid: must be 'OrderedReady' or 'Parallel'",
  );
  row(
    { updateStrategy: { type: "Recreate" } },
    "spec.updateStrategy Invalid: must be 'RollingUpdate' or 'OnDelete'",
  );
  row(
    { updateStrategy: { type: "OnDelete", rollingUpdate: {} } },
    "spec.updateStrategy.rollingUpdate Invalid: only allowed for updateStrategy 'RollingUpdate'",
  );
  row(
    { updateStrategy: { rollingUpdate: { partition: -1 } } },
    "spec.updateStrategy.rollingUpdate.partition Invalid: must be greater than or equal to 0",
  );
  row(
    { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
    "spec.updateStrategy.rollingUpdate.maxUnavailable Invalid: cannot be 0",
  );
  row(
    { ordinals: { start: -1 } },
    "spec.ordinals.start Invalid: must be greater than or equal to 0",
  );
  row(
    { persistentVolumeClaimRetentionPolicy: { whenScaled: "Keep" } },
    'spec.persistentVolumeClaimRetentionPolicy.whenScaled NotSupported: supported values: "Delete", "Retain"',
  );
  row({ serviceName: "a.b" }, "spec.serviceName Invalid: must not contain dots");
  row(
    { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] },
    "spec.volumeClaimTemplates[0].spec.accessModes Required: at least 1 access mode is required",
    "spec.volumeClaimTemplates[0].spec.resources[storage] Required",
  );

  it("may mount its claims, and nothing else that is not there", () => {
    const mounting = (name: string): V1StatefulSet => {
      const container = { name: "c", image: "i", volumeMounts: [{ name, mountPath: "/data" }] };
      const template = { metadata: { labels: LABELS }, spec: { containers: [container] } };
      return complete({ template, volumeClaimTemplates: [data] });
    };
    assert.deepEqual(errorLines(strategy.validate(mounting("data"))), []);
    assert.deepEqual(errorLines(strategy.validate(mounting("other"))), [
      "spec.template.spec.containers[0].volumeMounts[0].name NotFound other",
    ]);
  });

  it("changes in seven fields only", () => {
    const old = complete({ volumeClaimTemplates: [data] });
    const change = (spec: object): string[] =>
      errorLines(strategy.validateUpdate({ ...old, spec: { ...old.spec!, ...spec } }, old));
    assert.deepEqual(
      change({ replicas: 2, ordinals: { start: 1 }, minReadySeconds: 1, revisionHistoryLimit: 1 }),
      [],
    );
    assert.deepEqual(change({ serviceName: "b" }), [
      "spec Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' " +
        "are forbidden",
    ]);
    assert.equal(change({ volumeClaimTemplates: [] }).length, 1);
    assert.equal(change({ podManagementPolicy: "Parallel" }).length, 1);
  });

  it("is warned of a history that grows for ever", () => {
    const endless = complete({ revisionHistoryLimit: -1 });
    assert.match(
      strategy.warnings!(endless, endless)[0]!,
      /^spec\.revisionHistoryLimit: a negative/,
    );
  });

  it("scales, and shows ready of wanted", () => {
    const scale = subresources!.scale!;
    const scaled = scale.withReplicas(complete(), 3);
    assert.deepEqual([scale.replicas(scaled), scale.selector(scaled)], [3, "app=web"]);
    const shown = { ...scaled, status: { replicas: 3, readyReplicas: 2 } };
    const cells = columns.map((column) => column.cell(shown, 0));
    assert.deepEqual(cells, ["web", "2/3", "<unknown>", "c", "i"]);
  });

  it("has counts that can be", () => {
    const counted = (status: V1StatefulSetStatus): V1StatefulSet => ({ ...complete(), status });
    const old = counted({ replicas: 1, collisionCount: 2 });
    const lines = errorLines(
      subresources!.status!.validateUpdate(
        counted({ replicas: 1, readyReplicas: 2, collisionCount: 1 }),
        old,
      ),
    );
    assert.deepEqual(lines, [
      "status.readyReplicas Invalid: cannot be greater than status.replicas",
      "status.collisionCount Invalid: cannot be decremented",
    ]);
  });
});
