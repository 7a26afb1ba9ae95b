import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deployment, replicaSet } from "../../../test/support/builders.ts";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1Deployment, V1DeploymentSpec, V1ReplicaSetSpec } from "../../gen/types.ts";
import { deploymentResource } from "./deployment.ts";
import { replicaSetResource } from "./replica-set.ts";

const { strategy, subresources, columns } = deploymentResource;
const NOW = { now: 0, user: "u" };

const complete = (spec: Partial<V1DeploymentSpec> = {}): V1Deployment =>
  strategy.withDefaults(deployment("web", { spec }));

function row(spec: Partial<V1DeploymentSpec>, ...expected: string[]): void {
  it(JSON.stringify(spec), () =>
    assert.deepEqual(errorLines(strategy.validate(complete(spec))), expected),
  );
}

function setRow(spec: Partial<V1ReplicaSetSpec>, ...expected: string[]): void {
  it(JSON.stringify(spec), () => {
    const set = replicaSetResource.strategy.withDefaults(replicaSet("web", { spec }));
    assert.deepEqual(errorLines(replicaSetResource.strategy.validate(set)), expected);
  });
}

describe("defaults of a Deployment", () => {
  it("are upstream's", () => {
    const { template, selector, ...spec } = complete().spec!;
    assert.deepEqual(spec, {
      replicas: 1,
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" },
      },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    assert.equal(template.spec!.restartPolicy, "Always");
    assert.deepEqual(selector, { matchLabels: { app: "web" } });
  });

  it("change nothing the second time", () => {
    const once = complete();
    assert.equal(strategy.withDefaults(once), once);
  });

  it("leave Recreate without numbers", () => {
    assert.deepEqual(complete({ strategy: { type: "Recreate" } }).spec!.strategy, {
      type: "Recreate",
    });
  });
});

describe("a Deployment", () => {
  row({});
  row({ replicas: -1 }, "spec.replicas Invalid: must be greater than or equal to 0");
  row({ selector: {} }, "spec.selector Invalid: empty selector is invalid for deployment");
  row(
    { selector: { matchLabels: { app: "other" } } },
    "spec.template.metadata.labels Invalid: `selector` does not match template `labels`",
  );
  row(
    { selector: { matchExpressions: [{ key: "app", operator: "Is" }] } },
    "spec.selector.matchExpressions[0].operator Invalid: not a valid selector operator",
  );
  row(
    { strategy: { type: "Blue" } },
    'spec.strategy.type NotSupported: supported values: "Recreate", "RollingUpdate"',
  );
  row(
    { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
    "spec.strategy.rollingUpdate Forbidden: may not be specified when strategy `type` is 'Recreate'",
  );
  row(
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } },
    "spec.strategy.rollingUpdate.maxUnavailable Invalid: may not be 0 when `maxSurge` is 0",
  );
  row(
    { strategy: { rollingUpdate: { maxUnavailable: "101%" } } },
    "spec.strategy.rollingUpdate.maxUnavailable Invalid: must not be greater than 100%",
  );
  row(
    { progressDeadlineSeconds: 5, minReadySeconds: 5 },
    "spec.progressDeadlineSeconds Invalid: must be greater than minReadySeconds",
  );
  row(
    {
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "a", image: "a" }], restartPolicy: "Never" },
      },
    },
    'spec.template.spec.restartPolicy NotSupported: supported values: "Always"',
  );
  row(
    { template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } } },
    "spec.template.spec.containers Required",
  );

  it("keeps its selector", () => {
    const template = { ...complete().spec!.template, metadata: { labels: { app: "b" } } };
    const changed = complete({ selector: { matchLabels: { app: "b" } }, template });
    assert.deepEqual(errorLines(strategy.validateUpdate(changed, complete())), [
      "spec.selector Invalid: field is immutable",
    ]);
  });

  it("counts changes of spec and annotations, not of labels or status", () => {
    const old = strategy.prepareForCreate(complete(), NOW);
    const generation = (changed: V1Deployment): number =>
      strategy.prepareForUpdate(changed, old, NOW).metadata!.generation!;
    assert.equal(generation({ ...old, status: { replicas: 1 } }), 1);
    assert.equal(generation({ ...old, metadata: { ...old.metadata, labels: { a: "b" } } }), 1);
    assert.equal(generation({ ...old, metadata: { ...old.metadata, annotations: { a: "b" } } }), 2);
    assert.equal(generation({ ...old, spec: { ...old.spec!, replicas: 3 } }), 2);
  });

  it("scales", () => {
    const scale = subresources!.scale!;
    const scaled = scale.withReplicas(complete(), 7);
    assert.equal(scale.replicas(scaled), 7);
    assert.equal(scale.selector(scaled), "app=web");
  });

  it("shows ready of wanted", () => {
    const shown = { ...complete({ replicas: 3 }), status: { readyReplicas: 2 } };
    const cells = columns.map((column) => column.cell(shown, 0));
    assert.deepEqual(cells, ["web", "2/3", 0, 0, "<unknown>", "app", "app:1", "app=web"]);
  });
});

describe("a ReplicaSet", () => {
  setRow({});
  setRow({ replicas: -1 }, "spec.replicas Invalid: must be greater than or equal to 0");
  setRow(
    { selector: { matchLabels: { app: "other" } } },
    "spec.template.metadata.labels Invalid: `selector` does not match template `labels`",
  );
});
