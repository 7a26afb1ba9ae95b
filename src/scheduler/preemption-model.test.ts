import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodDisruptionBudget } from "../gen/types.ts";
import { decide, type Decision } from "./cycle.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

/** Small enough that every choice there is can be tried; few values, so that ties are common. */
const WORLDS = 400;
const NODES_MAX = 4;
const PODS_MAX = 5;
const CPU = 6;
const APPS = ["x", "y", "z"] as const;

/** One Pod as the model knows it. */
interface Small {
  readonly name: string;
  readonly priority: number;
  readonly cpu: number;
  /** 0: none. */
  readonly hostPort: number;
  readonly app: string;
  /** Hours since the beginning. */
  readonly start: number;
}

interface SmallWorld {
  /** By node. */
  readonly placed: ReadonlyMap<string, readonly Small[]>;
  /** By app: how many may go. */
  readonly budgets: ReadonlyMap<string, number>;
  readonly subject: Small;
}

function draw(random: SeededRandom): SmallWorld {
  const small = (name: string, priority: number): Small => ({
    name,
    priority,
    cpu: 1 + random.integer(3),
    hostPort: random.integer(4) === 0 ? 80 : 0,
    app: APPS[random.integer(APPS.length)]!,
    start: random.integer(3),
  });
  const placed = new Map<string, readonly Small[]>();
  for (let node = 1 + random.integer(NODES_MAX); node > 0; node--) {
    const pods: Small[] = [];
    for (let i = random.integer(PODS_MAX + 1); i > 0; i--) {
      const one = small(`n${node}-${i}`, random.integer(4));
      if (fits(one, pods)) pods.push(one);
    }
    placed.set(`n${node}`, pods);
  }
  const budgets = new Map<string, number>();
  for (const app of APPS) if (random.integer(2) === 0) budgets.set(app, random.integer(3));
  return {
    placed,
    budgets,
    subject: { ...small("new", random.integer(5)), cpu: 2 + random.integer(4) },
  };
}

function fits(one: Small, beside: readonly Small[]): boolean {
  const used = beside.reduce((sum, { cpu }) => sum + cpu, 0);
  const isTaken = one.hostPort !== 0 && beside.some(({ hostPort }) => hostPort === one.hostPort);
  return used + one.cpu <= CPU && !isTaken;
}

/** The victims on one node; nobody is in the list twice. */
interface Loss {
  readonly node: string;
  readonly victims: readonly Small[];
  /** Smaller is better, the first difference counts. */
  readonly order: readonly number[];
}

/**
 * What upstream's rules say of one node, by trying every set of Pods of lower priority.
 *
 * Of the sets whose going makes room, the one that keeps the first of the list: those whose going breaks a budget before the
 * others, the more important before the less.
 */
function bestLoss(node: string, { placed, budgets, subject }: SmallWorld): Loss | undefined {
  const pods = placed.get(node)!;
  const lower = pods
    .filter(({ priority }) => priority < subject.priority)
    .sort((a, b) => b.priority - a.priority || a.start - b.start);
  const breaking = breakingOf(lower, budgets);
  const inOrder = [
    ...lower.filter((one) => breaking.has(one)),
    ...lower.filter((one) => !breaking.has(one)),
  ];
  let best: { readonly kept: string; readonly victims: readonly Small[] } | undefined;
  for (let set = 1; set < 2 ** inOrder.length; set++) {
    const victims = inOrder.filter((_, index) => set & (1 << index));
    if (
      !fits(
        subject,
        pods.filter((one) => !victims.includes(one)),
      )
    )
      continue;
    const kept = inOrder.map((one) => (victims.includes(one) ? "0" : "1")).join("");
    if (!best || kept > best.kept) best = { kept, victims };
  }
  if (!best) return undefined;
  const { victims } = best;
  const highest = Math.max(...victims.map(({ priority }) => priority));
  const first = victims.filter(({ priority }) => priority === highest);
  const order = [
    victims.filter((one) => breaking.has(one)).length,
    highest,
    victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    victims.length,
    -Math.min(...first.map(({ start }) => start)),
  ];
  return { node, victims, order };
}

/** Those whose going breaks a budget, when all go one after the other. */
function breakingOf(
  pods: readonly Small[],
  budgets: ReadonlyMap<string, number>,
): ReadonlySet<Small> {
  const left = new Map(budgets);
  return new Set(
    pods.filter(({ app }) => {
      if (!left.has(app)) return false;
      left.set(app, left.get(app)! - 1);
      return left.get(app)! < 0;
    }),
  );
}

/** All answers that are right: `bind n1`, `n1: a b` (victims by name), or `none`. */
function expected(world: SmallWorld): readonly string[] {
  const nodes = [...world.placed.keys()];
  const free = nodes.filter((node) => fits(world.subject, world.placed.get(node)!));
  if (free.length > 0) return free.map((node) => `bind ${node}`);
  const losses = nodes.flatMap((node) => bestLoss(node, world) ?? []);
  const least = losses.reduce<Loss | undefined>(
    (best, loss) => (!best || isLess(loss.order, best.order) ? loss : best),
    undefined,
  );
  if (!least) return ["none"];
  return losses
    .filter(({ order }) => !isLess(least.order, order))
    .map(({ node, victims }) => `${node}: ${namesOf(victims.map(({ name }) => name))}`);
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && a[at]! < b[at]!;
}

function namesOf(names: readonly string[]): string {
  return [...names].sort().join(" ");
}

function toPod({ name, priority, cpu, hostPort, app, start }: Small, nodeName?: string): V1Pod {
  const ports = hostPort === 0 ? [] : [{ containerPort: 80, hostPort, protocol: "TCP" }];
  const resources = { requests: { cpu: String(cpu) } };
  return {
    metadata: { name, namespace: "default", uid: name, labels: { app } },
    spec: {
      priority,
      containers: [{ name: "c", image: "i", resources, ports }],
      ...(nodeName && { nodeName }),
    },
    status: { startTime: `2026-01-01T0${start}:00:00Z` },
  };
}

function toCache({ placed, budgets }: SmallWorld): SchedulerCache {
  const cache = new SchedulerCache();
  const allocatable = { cpu: String(CPU), memory: "8Gi", pods: "10" };
  for (const [name, pods] of placed) {
    const node: V1Node = { metadata: { name }, status: { allocatable } };
    cache.setNode(node);
    for (const one of pods) cache.setPod(toPod(one, name));
  }
  for (const [app, disruptionsAllowed] of budgets) {
    const budget: V1PodDisruptionBudget = {
      metadata: { name: app, namespace: "default" },
      spec: { selector: { matchLabels: { app } } },
      status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    };
    cache.setBudget(app, budget);
  }
  return cache;
}

function told(decision: Decision): string {
  if (decision.kind === "bind") return `bind ${decision.node.name}`;
  if (decision.kind === "unschedulable") return "none";
  const names = decision.victims.map(({ metadata }) => metadata?.name ?? "");
  return `${decision.node.name}: ${namesOf(names)}`;
}

describe("preemption beside a model that tries everything", () => {
  it(`chooses what upstream's order of criteria chooses, in ${WORLDS} small worlds`, () => {
    const kinds = { bind: 0, preempt: 0, unschedulable: 0 };
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = draw(new SeededRandom(seed));
      const cache = toCache(world);
      const subject = toPod(world.subject);
      const podClass = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads()).of(subject);
      const decision = decide(subject, podClass, cache, new SeededRandom(seed));
      kinds[decision.kind]++;
      const right = expected(world);
      assert.ok(
        right.includes(told(decision)),
        `seed ${seed}: ${told(decision)}, not ${right.join(" or ")}`,
      );
    }
    for (const [kind, count] of Object.entries(kinds))
      assert.ok(count > WORLDS / 20, `${kind} ${count}`);
  });
});
