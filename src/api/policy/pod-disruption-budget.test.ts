import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1LabelSelector, V1PodDisruptionBudgetSpec } from "../../gen/types.ts";
import type { FieldError } from "../machinery/field-error.ts";
import { isSelectedBy } from "./budget.ts";
import { podDisruptionBudgetResource, type PodDisruptionBudget } from "./pod-disruption-budget.ts";

const { strategy, columns, subresources } = podDisruptionBudgetResource;
const linesOf = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type}`);
const FACTS = { now: 0, user: "u" };

const budget = (spec: V1PodDisruptionBudgetSpec): PodDisruptionBudget => ({
  metadata: { name: "b", namespace: "d", generation: 1 },
  spec,
});

describe("a PodDisruptionBudget", () => {
  const rows: readonly (readonly [V1PodDisruptionBudgetSpec, ...string[]])[] = [
    [{}],
    [{ minAvailable: 0 }],
    [{ maxUnavailable: "100%" }],
    [{ minAvailable: 1, maxUnavailable: 1 }, "spec Invalid"],
    [{ minAvailable: -1 }, "spec.minAvailable Invalid"],
    [{ minAvailable: "half" }, "spec.minAvailable Invalid"],
    [{ maxUnavailable: "101%" }, "spec.maxUnavailable Invalid"],
    [
      { selector: { matchExpressions: [{ key: "a", operator: "In" }] } },
      "spec.selector.matchExpressions[0].values Required",
    ],
    [{ unhealthyPodEvictionPolicy: "Never" }, "spec.unhealthyPodEvictionPolicy NotSupported"],
    [{ unhealthyPodEvictionPolicy: "IfHealthyBudget" }],
  ];
  for (const [spec, ...expected] of rows)
    it(`${JSON.stringify(spec)} → ${expected.join(", ") || "valid"}`, () =>
      assert.deepEqual(linesOf(strategy.validate(budget(spec))), expected));

  it("begins with nothing allowed, and counts its generations", () => {
    const made = strategy.prepareForCreate(
      { ...budget({}), status: { disruptionsAllowed: 9 } },
      FACTS,
    );
    assert.equal(made.status?.disruptionsAllowed, 0);
    const kept = strategy.prepareForUpdate({ ...made }, made, FACTS);
    assert.equal(kept.metadata?.generation, 1);
    const changed = strategy.prepareForUpdate({ ...made, spec: { minAvailable: 1 } }, made, FACTS);
    assert.equal(changed.metadata?.generation, 2);
  });

  it("a status that cannot be is refused", () => {
    const wrong = {
      ...budget({}),
      status: {
        disruptionsAllowed: -1,
        conditions: [
          { type: "A", status: "True", reason: "R", message: "", lastTransitionTime: "t" },
          { type: "A", status: "Maybe", reason: "no!", message: "", lastTransitionTime: "" },
        ],
      },
    };
    assert.deepEqual(linesOf(subresources!.status!.validateUpdate(wrong, budget({}))), [
      "status.conditions[1].type Duplicate",
      "status.conditions[1].status NotSupported",
      "status.conditions[1].lastTransitionTime Required",
      "status.conditions[1].reason Invalid",
      "status.disruptionsAllowed Invalid",
    ]);
  });

  it("shows its numbers, and N/A for what it does not say", () => {
    const status = { disruptionsAllowed: 2 };
    const cells = (spec: V1PodDisruptionBudgetSpec) =>
      columns.slice(0, 4).map(({ cell }) => cell({ ...budget(spec), status }, 0));
    assert.deepEqual(cells({ minAvailable: 0 }), ["b", "0", "N/A", 2]);
    assert.deepEqual(cells({ maxUnavailable: "25%" }), ["b", "N/A", "25%", 2]);
  });
});

describe("the selector of a PodDisruptionBudget", () => {
  const LABEL = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
  const only = (operator: string): V1LabelSelector => ({
    matchExpressions: [{ key: LABEL, operator }],
  });
  const [beta] = podDisruptionBudgetResource.olderVersions!;
  const inHub = (selector: V1LabelSelector | undefined) =>
    beta!.toHub!(budget(selector ? { selector } : {})).spec?.selector;
  const inBeta = (selector: V1LabelSelector | undefined) =>
    (beta!.fromHub!(budget(selector ? { selector } : {})) as PodDisruptionBudget).spec?.selector;
  const own = { matchLabels: { app: "x" } };

  it("is turned around where the versions mean the opposite", () => {
    assert.deepEqual(inHub({}), only("Exists"));
    assert.deepEqual(inHub(only("DoesNotExist")), {});
    assert.deepEqual(inHub({ ...own, ...only("Exists") }), own);
    assert.deepEqual(inHub(own), own);
    assert.equal(inHub(undefined), undefined);
    assert.deepEqual(inBeta({}), only("DoesNotExist"));
    assert.deepEqual(inBeta(only("Exists")), {});
    assert.deepEqual(inBeta(own), own);
  });

  it("keeps of the other version's label only what is all there is", () => {
    const plain = (selector: V1LabelSelector) =>
      strategy.withDefaults(budget({ selector })).spec?.selector;
    assert.deepEqual(plain(only("Exists")), only("Exists"));
    assert.deepEqual(plain(only("DoesNotExist")), {});
    assert.deepEqual(plain({ ...own, ...only("Exists") }), own);
  });

  it("absent selects none, empty selects all", () => {
    assert.equal(isSelectedBy(budget({}), { app: "x" }), false);
    assert.equal(isSelectedBy(budget({ selector: {} }), undefined), true);
    assert.equal(isSelectedBy(budget({ selector: own }), { app: "y" }), false);
    assert.equal(isSelectedBy(budget({ selector: only("Exists") }), { app: "x" }), false);
  });
});
