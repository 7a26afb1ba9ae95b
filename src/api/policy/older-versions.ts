import type {
  V1LabelSelector,
  V1PodDisruptionBudget,
  V1PodDisruptionBudgetSpec,
} from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type OlderVersion } from "../machinery/older-version.ts";
import { mapField, withField } from "../strategy/strategy.ts";

const POLICY = { group: "policy", version: "v1", kind: "PodDisruptionBudget" };

/** A label that no Pod has: each version says by it what the other says by an empty selector. @spec pkg/apis/policy/helper.go */
const NO_POD_HAS = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

/** An empty selector selects all in `v1`, and nothing in `v1beta1`. */
const EMPTY: V1LabelSelector = {};
const NOTHING: V1LabelSelector = { matchExpressions: [{ key: NO_POD_HAS, operator: "Exists" }] };
const ALL_IN_BETA: V1LabelSelector = {
  matchExpressions: [{ key: NO_POD_HAS, operator: "DoesNotExist" }],
};

/** @spec k8s@1.36 pkg/apis/policy/v1beta1/conversion.go */
export const olderBudgets: readonly OlderVersion<V1PodDisruptionBudget>[] = [
  {
    ...sameForm(POLICY, "v1beta1", "1.21", "1.25"),
    toHub: (object) =>
      withSelector(object, (selector) => {
        if (isEmpty(selector)) return NOTHING;
        return isSame(selector, "DoesNotExist") ? EMPTY : stripped(selector);
      }),
    fromHub: (budget) =>
      withSelector(budget, (selector) => {
        if (isEmpty(selector)) return ALL_IN_BETA;
        return isSame(selector, "Exists") ? EMPTY : selector;
      }),
  },
];

/** Without the label of the other version, unless it is all there is. @spec pkg/apis/policy/v1/conversion.go */
export function withPlainSelector(spec: V1PodDisruptionBudgetSpec): V1PodDisruptionBudgetSpec {
  return mapField(spec, "selector", (selector) =>
    isSame(selector, "Exists") ? selector : stripped(selector),
  );
}

function withSelector(
  object: KubeObject,
  change: (selector: V1LabelSelector) => V1LabelSelector,
): V1PodDisruptionBudget {
  return mapField(object as V1PodDisruptionBudget, "spec", (spec) =>
    mapField(spec, "selector", change),
  );
}

function isEmpty({ matchLabels, matchExpressions = [] }: V1LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && matchExpressions.length === 0;
}

/** Nothing but "that label exists", or "does not exist". */
function isSame(selector: V1LabelSelector, operator: "Exists" | "DoesNotExist"): boolean {
  const [first, ...others] = selector.matchExpressions ?? [];
  if (first?.key !== NO_POD_HAS || first.operator !== operator || others.length > 0) return false;
  return !first.values?.length && Object.keys(selector.matchLabels ?? {}).length === 0;
}

function stripped(selector: V1LabelSelector): V1LabelSelector {
  const { matchExpressions = [] } = selector;
  const kept = matchExpressions.filter(({ key }) => key !== NO_POD_HAS);
  if (kept.length === matchExpressions.length) return selector;
  return withField(selector, "matchExpressions", kept.length > 0 ? kept : undefined);
}
