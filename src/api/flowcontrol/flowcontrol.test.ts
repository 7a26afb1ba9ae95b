import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../machinery/object.ts";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "./default-objects.ts";
import { flowSchemaResource, type FlowSchema } from "./flow-schema.ts";
import { KEEPS_ZERO, olderPriorityLevels } from "./older-versions.ts";
import {
  priorityLevelConfigurationResource,
  type PriorityLevelConfiguration,
} from "./priority-level-configuration.ts";

const rule = {
  subjects: [{ kind: "User", user: { name: "u" } }],
  resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["*"] }],
};

function schema(spec: object, name = "s"): FlowSchema {
  const filled = { priorityLevelConfiguration: { name: "l" }, rules: [rule], ...spec };
  return { metadata: { name }, spec: { matchingPrecedence: 50, ...filled } } as FlowSchema;
}

const resourceRule = (change: object): object => ({
  rules: [{ ...rule, resourceRules: [{ ...rule.resourceRules[0], ...change }] }],
});
const urls = (...nonResourceURLs: string[]): object => ({
  rules: [{ subjects: rule.subjects, nonResourceRules: [{ verbs: ["get"], nonResourceURLs }] }],
});
const subject = (change: object): object => ({ rules: [{ ...rule, subjects: [change] }] });

function queued(queuing: object, more: object = {}): PriorityLevelConfiguration {
  const limitResponse = { type: "Queue", queuing };
  const limited = { nominalConcurrencyShares: 1, lendablePercent: 0, limitResponse, ...more };
  return { metadata: { name: "l" }, spec: { type: "Limited", limited } } as never;
}

const lines = (errors: readonly { field: string; detail: string }[]): string =>
  errors.map(({ field, detail }) => `${field}: ${detail}`).join("; ");

describe("FlowSchema", () => {
  const { strategy } = flowSchemaResource;

  it("matches at precedence 1000 unless it says so", () => {
    const given = strategy.withDefaults(schema({ matchingPrecedence: 0 }));
    assert.equal(given.spec?.matchingPrecedence, 1000);
  });

  it("the default ones are valid and complete", () => {
    for (const object of [...mandatoryFlowSchemas, ...suggestedFlowSchemas]) {
      assert.deepEqual(strategy.withDefaults(object), object);
      assert.deepEqual(strategy.validate(object), [], object.metadata?.name);
    }
  });

  const rows: readonly (readonly [FlowSchema, string])[] = [
    [schema({ matchingPrecedence: -1 }), "spec.matchingPrecedence: must be a positive value"],
    [
      schema({ matchingPrecedence: 10_001 }),
      "spec.matchingPrecedence: must not be greater than 10000",
    ],
    [
      schema({ matchingPrecedence: 1 }),
      "spec.matchingPrecedence: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      schema({ distinguisherMethod: { type: "ByMood" } }),
      'spec.distinguisherMethod.type: supported values: "ByNamespace", "ByUser"',
    ],
    [
      schema({ priorityLevelConfiguration: { name: "" } }),
      "spec.priorityLevelConfiguration.name: must reference a priority level",
    ],
    [
      schema({ rules: [{ subjects: [], resourceRules: rule.resourceRules }] }),
      "spec.rules[0].subjects: subjects must contain at least one value",
    ],
    [
      schema({ rules: [{ subjects: rule.subjects }] }),
      "spec.rules[0]: at least one of resourceRules and nonResourceRules has to be non-empty",
    ],
    [
      schema(subject({ kind: "User", group: { name: "g" } })),
      "spec.rules[0].subjects[0].user: user is required when subject kind is 'User'; " +
        "spec.rules[0].subjects[0].group: group is forbidden when subject kind is not 'Group'",
    ],
    [
      schema(subject({ kind: "ServiceAccount", serviceAccount: { name: "*" } })),
      "spec.rules[0].subjects[0].serviceAccount.namespace: must specify namespace for service account",
    ],
    [
      schema(resourceRule({ verbs: ["*", "get"] })),
      "spec.rules[0].resourceRules[0].verbs: if '*' is present, must not specify other verbs",
    ],
    [
      schema(resourceRule({ verbs: ["jump"] })),
      'spec.rules[0].resourceRules[0].verbs: supported values: "create", "delete", "deletecollection", ' +
        '"get", "list", "patch", "proxy", "update", "watch"',
    ],
    [
      schema(resourceRule({ namespaces: [] })),
      "spec.rules[0].resourceRules[0].namespaces: resource rules that are not cluster scoped must supply at least one namespace",
    ],
    [schema(resourceRule({ namespaces: [], clusterScope: true })), ""],
    [
      schema(urls("a", "/b//c", "/d e", "/f*", "/g/*")),
      "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: must start with slash; " +
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: must not contain double slash; " +
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: must not contain white-space; " +
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[3]: wildcard can only do suffix matching",
    ],
    [schema({}, "catch-all"), "spec: spec of 'catch-all' must equal the fixed value"],
  ];
  for (const [object, expected] of rows)
    it(expected.slice(0, 90) || "a valid one", () => {
      assert.equal(lines(strategy.validate(object)), expected);
    });

  it("an update of the status changes conditions only", () => {
    const old = schema({});
    const { prepareForUpdate, validateUpdate } = flowSchemaResource.subresources!.status!;
    const status = { conditions: [{ type: "A" }, { type: "A" }, {}] };
    const wanted = {
      ...schema({ matchingPrecedence: 7 }),
      metadata: { labels: { a: "b" } },
      status,
    };
    const facts = { now: 0, user: "u" };
    const object = prepareForUpdate(wanted as FlowSchema, old, facts);
    assert.deepEqual(object, { ...old, status });
    assert.equal(
      lines(validateUpdate(object, old)),
      "status.conditions[1].type: ; status.conditions[2].type: must not be empty",
    );
  });
});

describe("PriorityLevelConfiguration", () => {
  const { strategy } = priorityLevelConfigurationResource;

  it("has upstream's defaults, and keeps a share of 0", () => {
    const bare = { limited: { limitResponse: { type: "Queue", queuing: { queues: 0 } } } };
    const given = strategy.withDefaults({ spec: { type: "Limited", ...bare } } as never);
    assert.deepEqual(given.spec?.limited, {
      limitResponse: {
        type: "Queue",
        queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 },
      },
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
    });
    const zero = queued({}, { nominalConcurrencyShares: 0 });
    assert.equal(strategy.withDefaults(zero).spec?.limited?.nominalConcurrencyShares, 0);
  });

  it("the default ones are valid and complete", () => {
    for (const object of [...mandatoryPriorityLevels, ...suggestedPriorityLevels]) {
      assert.deepEqual(strategy.withDefaults(object), object);
      assert.deepEqual(strategy.validate(object), [], object.metadata?.name);
    }
  });

  const level = (spec: object, name = "l") =>
    ({ metadata: { name }, spec }) as PriorityLevelConfiguration;
  const rows: readonly (readonly [PriorityLevelConfiguration, string])[] = [
    [level({ type: "Exempt" }), "spec.type: type must be 'Exempt' if and only if name is 'exempt'"],
    [level({ type: "Some" }), 'spec.type: supported values: "Exempt", "Limited"'],
    [level({ type: "Limited" }), "spec.limited: must not be empty when type is Limited"],
    [
      level({ ...queued({ queues: 1, handSize: 1, queueLengthLimit: 1 }).spec, exempt: {} }),
      "spec.exempt: must be nil if the type is Limited",
    ],
    [
      level({ type: "Limited", limited: { limitResponse: { type: "Reject", queuing: {} } } }),
      "spec.limited.limitResponse.queuing: must be nil if limited.limitResponse.type is not Limited",
    ],
    [
      queued({ queues: 0, handSize: -1, queueLengthLimit: 0 }),
      "spec.limited.limitResponse.queuing.queueLengthLimit: must be positive; " +
        "spec.limited.limitResponse.queuing.queues: must be positive; " +
        "spec.limited.limitResponse.queuing.handSize: must be positive",
    ],
    [
      queued({ queues: 4, handSize: 5, queueLengthLimit: 1 }),
      "spec.limited.limitResponse.queuing.handSize: should not be greater than queues (4)",
    ],
    [
      queued({ queues: 128, handSize: 10, queueLengthLimit: 1 }),
      "spec.limited.limitResponse.queuing.handSize: required entropy bits of deckSize 128 and handSize 10 should not be greater than 60",
    ],
    [
      queued({ queues: 1, handSize: 1, queueLengthLimit: 1 }, { lendablePercent: 101 }),
      "spec.limited.lendablePercent: must be between 0 and 100, inclusive",
    ],
    [
      queued({ queues: 1, handSize: 1, queueLengthLimit: 1 }, { borrowingLimitPercent: -1 }),
      "spec.limited.borrowingLimitPercent: if specified, must be a non-negative integer",
    ],
    [
      level({ type: "Limited", limited: { limitResponse: { type: "Reject" } } }, "catch-all"),
      "spec: spec of 'catch-all' must equal the fixed value",
    ],
    [level({ type: "Exempt", exempt: { nominalConcurrencyShares: 5 } }, "exempt"), ""],
  ];
  for (const [object, expected] of rows)
    it(expected.slice(0, 90) || "the shares of exempt may be changed", () => {
      assert.equal(lines(strategy.validate(object)), expected);
    });
});

describe("older PriorityLevelConfigurations", () => {
  const [third, second, first] = olderPriorityLevels;
  const limited = (fields: object, annotations?: object): KubeObject =>
    ({
      metadata: { name: "l", ...(annotations && { annotations }) },
      spec: { type: "Limited", limited: fields },
    }) as KubeObject;

  it("the betas before v1beta3 call the shares assured, and know no 0", () => {
    for (const version of [first!, second!]) {
      const hub = version.toHub!(limited({ assuredConcurrencyShares: 7 }));
      assert.deepEqual(hub, limited({ nominalConcurrencyShares: 7 }));
      assert.deepEqual(version.fromHub!(hub), limited({ assuredConcurrencyShares: 7 }));
      assert.deepEqual(version.toHub!(limited({})), limited({ nominalConcurrencyShares: 30 }));
    }
  });

  it("v1beta3 says with an annotation that 0 is meant", () => {
    const { toHub, fromHub } = third!;
    const zero = limited({ nominalConcurrencyShares: 0 });
    assert.deepEqual(toHub!(zero), limited({ nominalConcurrencyShares: 30 }));
    const marked = limited({ nominalConcurrencyShares: 0 }, { [KEEPS_ZERO]: "" });
    assert.deepEqual(toHub!(marked), zero);
    assert.deepEqual(fromHub!(zero as never), marked);
  });
});
