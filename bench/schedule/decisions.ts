// What one decision costs, in µs of processor time, with the assumption that follows it.
import { SeededRandom } from "../../src/base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodSpec } from "../../src/gen/types.ts";
import { decide } from "../../src/scheduler/cycle.ts";
import { Decider } from "../../src/scheduler/decider.ts";
import { DEFAULT_PLUGINS } from "../../src/scheduler/plugin-args.ts";
import { PodClasses } from "../../src/scheduler/pod-class.ts";
import { SchedulerCache } from "../../src/scheduler/scheduler-cache.ts";
import { Workloads } from "../../src/scheduler/workloads.ts";
import { ownCpuTime } from "./cpu-time.ts";

/** One kind of Pods: how many are decided, and the spec of each. */
interface Sort {
  readonly name: string;
  readonly pods: number;
  spec(index: number): V1PodSpec;
}

const container = (
  cpu = "100m",
  ports: readonly object[] = [],
): V1PodSpec["containers"][number] => ({
  name: "c",
  image: "nginx:1.25",
  resources: { requests: { cpu, memory: "100Mi" } },
  ports: ports as never,
});
const expression = (key: string, ...values: string[]): object => ({
  matchExpressions: [{ key, operator: "In", values }],
});
const TOLERANT = { tolerations: [{ operator: "Exists" }] };

const HOSTNAME = "kubernetes.io/hostname";
const WEB = { matchLabels: { app: "web" } };
const near = (topologyKey: string) => ({ topologyKey, labelSelector: WEB });

const PLAIN: V1PodSpec = { containers: [container()], ...TOLERANT };
const TEMPLATES = Array.from({ length: 20 }, (_, i): V1PodSpec => ({
  containers: [container(`${100 + i}m`)],
  ...TOLERANT,
}));

const SORTS: readonly Sort[] = [
  sort("plain", 4000, PLAIN),
  sort("node selector", 4000, { ...PLAIN, nodeSelector: { zone: "z1" } }),
  sort("affinity, required and preferred", 4000, {
    ...PLAIN,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [expression("zone", "z1", "z2")],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 10, preference: expression("disk", "d1") },
        ],
      },
    },
  }),
  sort("taints, none tolerated", 4000, { containers: [container()] }),
  sort("a host port", 900, {
    ...PLAIN,
    containers: [container("100m", [{ containerPort: 80, hostPort: 80 }])],
  }),
  { name: "20 templates in turn", pods: 4000, spec: (index) => TEMPLATES[index % 20]! },
  {
    name: "no two alike",
    pods: 200,
    spec: (index) => ({ containers: [container(`${100 + (index % 10_000)}m`)], ...TOLERANT }),
  },
  { name: "of a DaemonSet", pods: 900, spec: (index) => named(`n${index % 900}`) },
  sort("required anti-affinity by host", 900, {
    ...PLAIN,
    affinity: {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near(HOSTNAME)] },
    },
  }),
  sort("required affinity by zone", 4000, {
    ...PLAIN,
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near("zone")] } },
  }),
  sort("preferred anti-affinity by host", 4000, {
    ...PLAIN,
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, podAffinityTerm: near(HOSTNAME) },
        ],
      },
    },
  }),
  spread("spread by zone, required", "DoNotSchedule", "zone"),
  spread("spread by host, required", "DoNotSchedule", HOSTNAME),
  spread("spread by zone and host, preferred", "ScheduleAnyway", "zone", HOSTNAME),
  sort("fit nowhere", 4000, { containers: [container("900")], ...TOLERANT }),
];

function spread(name: string, whenUnsatisfiable: string, ...keys: readonly string[]): Sort {
  const topologySpreadConstraints = keys.map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable,
    labelSelector: WEB,
  }));
  return sort(name, 4000, { ...PLAIN, topologySpreadConstraints });
}

function sort(name: string, pods: number, spec: V1PodSpec): Sort {
  return { name, pods, spec: () => spec };
}

function named(node: string): V1PodSpec {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const nodeSelectorTerms = [{ matchFields }];
  return {
    ...PLAIN,
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    },
  };
}

/** Figures by name. The definition is measured too, on plain Pods: what is remembered saves. */
export function benchDecisions(nodes: number): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {};
  const size = `${nodes.toLocaleString("en")} nodes`;
  for (const one of SORTS) figures[`decision, ${size}, ${one.name}, µs`] = measured(one, nodes);
  figures[`decision, ${size}, plain, by the definition, µs`] = measured(
    { ...SORTS[0]!, pods: 50 },
    nodes,
    true,
  );
  return figures;
}

/** What the kernel counts has the grain of some ms, so rounds are repeated until they have used so many µs. */
const MEASURED_US = 300_000;

function measured({ pods, spec }: Sort, nodes: number, byDefinition = false): number {
  const cache = new SchedulerCache();
  for (let i = 0; i < nodes; i++) cache.setNode(nodeAt(i));
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const random = new SeededRandom(1);
  const decider = new Decider(cache, classes, random);
  let next = 0;
  const round = (): number => {
    const waiting = Array.from({ length: pods }, () => podAt(next, spec(next++)));
    const begin = ownCpuTime();
    for (const pod of waiting) {
      const decision = byDefinition
        ? decide(pod, classes.of(pod), cache, random)
        : decider.decide(pod);
      if (decision.kind === "bind") cache.assume(pod, decision.node.name);
    }
    const used = ownCpuTime() - begin;
    for (const pod of waiting) cache.forget(pod);
    return used;
  };
  // Lets the compiler see what is hot.
  round();
  let [used, rounds] = [0, 0];
  for (; used < MEASURED_US; rounds++) used += round();
  return +(used / rounds / pods).toFixed(2);
}

function podAt(index: number, spec: V1PodSpec): V1Pod {
  const name = `p${index}`;
  return { metadata: { name, namespace: "default", uid: name, labels: { app: "web" } }, spec };
}

function nodeAt(index: number): V1Node {
  const name = `n${index}`;
  const taints = [
    ...(index % 10 === 0 ? [{ key: "dedicated", value: "x", effect: "NoSchedule" }] : []),
    ...(index % 20 === 1 ? [{ key: "old", effect: "PreferNoSchedule" }] : []),
  ];
  return {
    metadata: {
      name,
      labels: { zone: `z${index % 3}`, disk: `d${index % 2}`, "kubernetes.io/hostname": name },
    },
    spec: { taints },
    status: { allocatable: { cpu: "32", memory: "256Gi", pods: "110" } },
  };
}
