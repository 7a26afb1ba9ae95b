import { PriorityClass } from "../../../src/api/scheduling/priority-class.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import type { V1PodSpec } from "../../../src/gen/types.ts";
import { insist } from "./insist.ts";
import type { Scene } from "./step.ts";

/** What Pods can be worth; most name none, and have 0. */
const CLASSES = [
  { name: "low", value: -10 },
  { name: "high", value: 1000 },
  { name: "urgent", value: 2000 },
  { name: "patient", value: 1000, preemptionPolicy: "Never" },
] as const;

/** Makes the classes that Pods will name: they are there before anything else. */
export async function makePriorityClasses(client: Client, clock: Clock): Promise<void> {
  for (const { name, ...rest } of CLASSES)
    await insist(
      clock,
      () => client.create(PriorityClass, { metadata: { name }, ...rest }),
      "AlreadyExists",
    );
}

/** Whom a Pod takes precedence over, or gives way to. */
export function anyPriority(scene: Scene): Pick<V1PodSpec, "priorityClassName"> {
  return scene.isLucky(40)
    ? { priorityClassName: scene.oneOf("low", "low", "high", "urgent", "patient") }
    : {};
}
