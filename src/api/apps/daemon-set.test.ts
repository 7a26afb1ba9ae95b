import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1DaemonSet, V1DaemonSetSpec } from "../../gen/types.ts";
import { daemonSetResource } from "./daemon-set.ts";

const { strategy, subresources, columns, olderVersions } = daemonSetResource;
const NOW = { now: 0, user: "u" };
const GENERATION = "deprecated.daemonset.template.generation";

const LABELS = { app: "agent" };
const bare = (spec: Partial<V1DaemonSetSpec> = {}): V1DaemonSet => ({
  metadata: { name: "agent", namespace: "default" },
  spec: {
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image: "i" }] } },
    ...spec,
  },
});
const complete = (spec: Partial<V1DaemonSetSpec> = {}): V1DaemonSet =>
  strategy.withDefaults(bare(spec));

function row(spec: object, ...expected: string[]): void {
  it(JSON.stringify(spec), () =>
    assert.deepEqual(errorLines(strategy.validate(complete(spec))), expected),
  );
}

const rolling = (rollingUpdate: object): object => ({ updateStrategy: { rollingUpdate } });
const NO_MATCH =
  "spec.template.metadata.labels Invalid: `selector` does not match template `labels`";

describe("defaults of a DaemonSet", () => {
  it("are upstream's, and change nothing the second time", () => {
    const { template, selector: _, ...spec } = complete().spec!;
    assert.deepEqual(spec, {
      updateStrategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
      },
      revisionHistoryLimit: 10,
    });
    assert.equal(template.spec!.restartPolicy, "Always");
    const once = complete();
    assert.equal(strategy.withDefaults(once), once);
  });

  it("of extensions/v1beta1 are those of its time, with a count of templates", () => {
    const first = olderVersions!.find(({ group }) => group === "extensions")!;
    const { selector: _, ...spec } = bare().spec!;
    const given = { ...bare(), spec: { ...spec, templateGeneration: 4 } };
    const hub = first.toHub!(given);
    assert.equal(hub.spec!.updateStrategy!.type, "OnDelete");
    assert.deepEqual([hub.spec!.selector, hub.metadata!.labels], [{ matchLabels: LABELS }, LABELS]);
    assert.deepEqual(hub.metadata!.annotations, { [GENERATION]: "4" });
    const back = first.fromHub!(hub) as { spec?: { templateGeneration?: number } };
    assert.equal(back.spec!.templateGeneration, 4);
  });
});

describe("a DaemonSet", () => {
  row({});
  row({ selector: undefined }, NO_MATCH);
  row({ selector: { matchLabels: { app: "b" } } }, NO_MATCH);
  row({ selector: {} }, "spec.selector Invalid: empty selector is invalid for daemonset");
  row({ minReadySeconds: -1 }, "spec.minReadySeconds Invalid: must be greater than or equal to 0");
  row(
    { updateStrategy: { type: "rollingUpdate" } },
    'spec.updateStrategy NotSupported: supported values: "OnDelete", "RollingUpdate"',
  );
  row(rolling({ maxUnavailable: 0, maxSurge: "10%" }));
  row(
    rolling({ maxUnavailable: 0 }),
    "spec.updateStrategy.rollingUpdate.maxUnavailable Required: cannot be 0 when maxSurge is 0",
  );
  row(
    rolling({ maxSurge: 1 }),
    "spec.updateStrategy.rollingUpdate.maxSurge Invalid: may not be set when maxUnavailable is non-zero",
  );
  row(
    rolling({ maxUnavailable: "101%" }),
    "spec.updateStrategy.rollingUpdate.maxUnavailable Invalid: must not be greater than 100%",
  );
  row(
    {
      template: {
        metadata: { labels: LABELS },
        spec: { containers: [{ name: "c", image: "i" }], restartPolicy: "Never" },
      },
    },
    'spec.template.spec.restartPolicy NotSupported: supported values: "Always"',
  );

  it("keeps its selector", () => {
    const template = { ...complete().spec!.template, metadata: { labels: { app: "b" } } };
    const changed = complete({ selector: { matchLabels: { app: "b" } }, template });
    assert.deepEqual(errorLines(strategy.validateUpdate(changed, complete())), [
      "spec.selector Invalid: field is immutable",
    ]);
  });

  it("counts changes of its template, which nobody else may", () => {
    const old = strategy.prepareForCreate(complete(), NOW);
    assert.equal(old.metadata!.annotations![GENERATION], "1");
    const image = { containers: [{ name: "c", image: "j" }] };
    const template = { ...old.spec!.template, spec: image };
    const counted = (changed: V1DaemonSet): unknown[] => {
      const { metadata } = strategy.prepareForUpdate(changed, old, NOW);
      return [metadata!.annotations![GENERATION], metadata!.generation];
    };
    assert.deepEqual(counted({ ...old, spec: { ...old.spec!, template } }), ["2", 2]);
    assert.deepEqual(counted({ ...old, spec: { ...old.spec!, minReadySeconds: 1 } }), ["1", 2]);
    const forged = { ...old.metadata, annotations: { [GENERATION]: "7" } };
    assert.deepEqual(counted({ ...old, metadata: forged }), ["1", 1]);
  });

  it("shows its counts and its nodes", () => {
    const template = complete().spec!.template;
    const nodeSelector = { disk: "ssd" };
    const shown: V1DaemonSet = {
      ...complete({ template: { ...template, spec: { ...template.spec!, nodeSelector } } }),
      status: {
        desiredNumberScheduled: 3,
        currentNumberScheduled: 2,
        numberReady: 1,
        numberMisscheduled: 0,
        updatedNumberScheduled: 2,
        numberAvailable: 1,
      },
    };
    const cells = columns.map((column) => column.cell(shown, 0));
    const wide = ["c", "i", "app=agent"];
    assert.deepEqual(cells, ["agent", 3, 2, 1, 2, 1, "disk=ssd", "<unknown>", ...wide]);
  });

  it("has counts that can be", () => {
    const counts = { ...strategy.prepareForCreate(complete(), NOW).status!, numberReady: -1 };
    const status = { ...counts, collisionCount: 1 };
    const old = { ...complete(), status: { ...counts, collisionCount: 2 } };
    assert.deepEqual(
      errorLines(subresources!.status!.validateUpdate({ ...complete(), status }, old)),
      [
        "status.numberReady Invalid: must be greater than or equal to 0",
        "status.collisionCount Invalid: cannot be decremented",
      ],
    );
  });
});
