import type {
  FlowcontrolV1Subject,
  V1FlowSchema,
  V1PolicyRulesWithSubjects,
  V1PriorityLevelConfiguration,
  V1ResourcePolicyRule,
} from "../../gen/types.ts";

/**
 * The priority levels and flow schemas that every cluster has. The server needs the mandatory ones and keeps them as they are;
 * the suggested ones are made once and followed as long as nobody changes them.
 *
 * @spec k8s@1.36 apiserver pkg/apis/flowcontrol/bootstrap/default.go
 */

/** `true`: the server may bring the spec up to date. `false`: someone has changed it, who must be respected. */
export const AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec";

const EVERY = ["*"];
const CONTROLLER_MANAGER = "system:kube-controller-manager";
const SCHEDULER = "system:kube-scheduler";
const EVERYBODY = ["system:unauthenticated", "system:authenticated"];
const READS_AND_WRITES = ["get", "create", "update"];

const metadataOf = (name: string) => ({ name, annotations: { [AUTO_UPDATE]: "true" } });

const user = (name: string): FlowcontrolV1Subject => ({ kind: "User", user: { name } });
const group = (name: string): FlowcontrolV1Subject => ({ kind: "Group", group: { name } });
const account = (name: string): FlowcontrolV1Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { name, namespace: "kube-system" },
});

function level(
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): V1PriorityLevelConfiguration {
  const queuing = { queues, handSize, queueLengthLimit: 50 };
  const limitResponse = { type: "Queue", queuing };
  return {
    metadata: metadataOf(name),
    spec: {
      type: "Limited",
      limited: { nominalConcurrencyShares, lendablePercent, limitResponse },
    },
  };
}

function schema(
  name: string,
  levelName: string,
  matchingPrecedence: number,
  distinguisher: "ByUser" | "ByNamespace" | undefined,
  rules: V1PolicyRulesWithSubjects,
): V1FlowSchema {
  return {
    metadata: metadataOf(name),
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence,
      ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
      rules: [rules],
    },
  };
}

/** All that these subjects ask for. */
function everythingOf(subjects: readonly FlowcontrolV1Subject[]): V1PolicyRulesWithSubjects {
  const resources = { verbs: EVERY, apiGroups: EVERY, resources: EVERY, namespaces: EVERY };
  return {
    subjects,
    resourceRules: [{ ...resources, clusterScope: true }],
    nonResourceRules: [{ verbs: EVERY, nonResourceURLs: EVERY }],
  };
}

function namespaced(
  verbs: readonly string[],
  apiGroup: string,
  resources: readonly string[],
): V1ResourcePolicyRule {
  return { verbs, apiGroups: [apiGroup], resources, namespaces: EVERY };
}

const leases = (verbs: readonly string[]): V1ResourcePolicyRule =>
  namespaced(verbs, "coordination.k8s.io", ["leases"]);

export const mandatoryPriorityLevels: readonly V1PriorityLevelConfiguration[] = [
  {
    metadata: metadataOf("exempt"),
    spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  {
    metadata: metadataOf("catch-all"),
    spec: {
      type: "Limited",
      limited: {
        nominalConcurrencyShares: 5,
        lendablePercent: 0,
        limitResponse: { type: "Reject" },
      },
    },
  },
];

export const suggestedPriorityLevels: readonly V1PriorityLevelConfiguration[] = [
  level("system", 30, 33, 64, 6),
  level("node-high", 40, 25, 64, 6),
  level("leader-election", 10, 0, 16, 4),
  level("workload-high", 40, 50, 128, 6),
  level("workload-low", 100, 90, 128, 6),
  level("global-default", 20, 50, 128, 6),
];

export const mandatoryFlowSchemas: readonly V1FlowSchema[] = [
  schema("exempt", "exempt", 1, undefined, everythingOf([group("system:masters")])),
  schema("catch-all", "catch-all", 10_000, "ByUser", everythingOf(EVERYBODY.map(group))),
];

export const suggestedFlowSchemas: readonly V1FlowSchema[] = [
  schema("system-nodes", "system", 500, "ByUser", everythingOf([group("system:nodes")])),
  schema("system-node-high", "node-high", 400, "ByUser", {
    subjects: [group("system:nodes")],
    resourceRules: [
      { ...namespaced(EVERY, "", ["nodes", "nodes/status"]), clusterScope: true },
      leases(EVERY),
    ],
  }),
  schema("probes", "exempt", 2, undefined, {
    subjects: EVERYBODY.map(group),
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  schema("system-leader-election", "leader-election", 100, "ByUser", {
    subjects: [user(CONTROLLER_MANAGER), user(SCHEDULER), account("*")],
    resourceRules: [leases(READS_AND_WRITES)],
  }),
  schema("endpoint-controller", "workload-high", 150, "ByUser", {
    subjects: [
      user(CONTROLLER_MANAGER),
      account("endpoint-controller"),
      account("endpointslicemirroring-controller"),
    ],
    resourceRules: [namespaced(READS_AND_WRITES, "", ["endpoints"])],
  }),
  schema("workload-leader-election", "leader-election", 200, "ByUser", {
    subjects: [account("*")],
    resourceRules: [
      namespaced(READS_AND_WRITES, "", ["endpoints", "configmaps"]),
      leases(READS_AND_WRITES),
    ],
  }),
  schema(
    "kube-controller-manager",
    "workload-high",
    800,
    "ByNamespace",
    everythingOf([user(CONTROLLER_MANAGER)]),
  ),
  schema("kube-scheduler", "workload-high", 800, "ByNamespace", everythingOf([user(SCHEDULER)])),
  schema(
    "kube-system-service-accounts",
    "workload-high",
    900,
    "ByNamespace",
    everythingOf([account("*")]),
  ),
  schema(
    "service-accounts",
    "workload-low",
    9000,
    "ByUser",
    everythingOf([group("system:serviceaccounts")]),
  ),
  schema("global-default", "global-default", 9900, "ByUser", everythingOf(EVERYBODY.map(group))),
];
