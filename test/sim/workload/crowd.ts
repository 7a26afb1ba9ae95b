import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Client } from "../../../src/client/client.ts";
import type { V1PodSpec } from "../../../src/gen/types.ts";
import { insist } from "./insist.ts";
import { NAMESPACES } from "./step.ts";

const CROWD = "crowd";
const [NAMESPACE] = NAMESPACES;
/** Pods of the crowd for each processor. */
const PODS_PER_CPU = 2;
/** Most Pods that come later and want a whole processor each. */
const LATE_MAX = 3;

/** Fills the nodes with Pods that are worth little, so that who comes later and is worth more must push them aside. */
export function gather(client: Client, clock: Clock, cpus: number): Promise<void> {
  const labels = { crowd: "yes" };
  const replicas = cpus * PODS_PER_CPU;
  const spec = podSpec("low", `${1000 / PODS_PER_CPU}m`);
  const metadata = { name: CROWD, namespace: NAMESPACE };
  const template = { metadata: { labels }, spec };
  const set = { metadata, spec: { replicas, selector: { matchLabels: labels }, template } };
  return insist(clock, () => client.create(ReplicaSet, set), "AlreadyExists");
}

/** One after the other, within `withinMs`, those come that are worth more. */
export async function pushIn(
  client: Client,
  clock: Clock,
  random: Random,
  withinMs: number,
): Promise<void> {
  const count = 1 + random.integer(LATE_MAX);
  for (let at = 0; at < count; at++) {
    await sleep(clock, random.integer(Math.ceil(withinMs / LATE_MAX)));
    const priority = random.integer(2) === 0 ? "high" : "urgent";
    const metadata = { name: `late-${at}`, namespace: NAMESPACE };
    const pod = { metadata, spec: podSpec(priority, "1") };
    // One attempt, for a quota may refuse it for as long as users let it.
    await client.create(Pod, pod).catch(() => {});
  }
}

function podSpec(priorityClassName: string, cpu: string): V1PodSpec {
  const resources = { requests: { cpu, memory: "64Mi" } };
  // Services may come to select them, by a label that a user gives them.
  const ports = [{ name: "http", containerPort: 80 }];
  const containers = [{ name: "app", image: "shop:1", resources, ports }];
  return { containers, priorityClassName, terminationGracePeriodSeconds: 2 };
}
