import type { V1Container, V1PodSpec, V1PodTemplateSpec } from "../../../src/gen/types.ts";
import type { Behaviour } from "../../support/scripted-cri.ts";
import { anyPriority } from "./priorities.ts";
import type { Scene } from "./step.ts";

/** How containers of each name live. When the world heals, all but {@link SHORT} and {@link PROGRAM} run for ever. */
export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  app: {},
  job: { endsAfterMs: 3000 },
  crash: { endsAfterMs: 15_000, exitCode: 1 },
  slow: { stopsAfterMs: 4000 },
  stubborn: { stopsAfterMs: 3_600_000 },
  init: { endsAfterMs: 2000 },
};

/** What every Pod with such a container waits for. */
export const SHORT = "init";
/** What a Pod that ends consists of. */
export const PROGRAM = "job";

/** Images that can be pulled, and one that cannot. */
const IMAGES = ["shop:1", "shop:2", "shop:3", "shop:4"] as const;

/** An image for a new version of a program; seldom one that does not exist. */
export function anyImage(scene: Scene): string {
  return scene.isLucky(6) ? "missing:1" : scene.oneOf(...IMAGES);
}

/** One container, as its program is. */
export function anyContainer(scene: Scene): V1Container {
  const cpu = scene.oneOf("100m", "250m", "500m", "1", "1500m");
  const memory = scene.oneOf("64Mi", "256Mi", "512Mi");
  return {
    name: scene.oneOf("app", "app", "app", "app", "slow", "stubborn", "crash"),
    image: anyImage(scene),
    ...(scene.isLucky(70) && { resources: { requests: { cpu, memory } } }),
    ...(scene.isLucky(25) && {
      readinessProbe: { exec: { command: ["check"] }, periodSeconds: 2, failureThreshold: 1 },
    }),
    ports: [
      scene.isLucky(12)
        ? { name: "http", containerPort: 80, hostPort: scene.oneOf(8080, 8081) }
        : { name: "http", containerPort: 80 },
    ],
  };
}

/** A Pod's spec, as a user would write one. */
export function anyPodSpec(scene: Scene): V1PodSpec {
  return {
    containers: [anyContainer(scene)],
    terminationGracePeriodSeconds: scene.oneOf(0, 1, 2, 10, 30),
    ...anyPriority(scene),
    ...(scene.isLucky(20) && {
      initContainers: [{ name: SHORT, image: "shop:1" }],
    }),
    ...(scene.isLucky(10) && {
      volumes: [{ name: "config", configMap: { name: "settings", optional: scene.isLucky(50) } }],
    }),
  };
}

/** The template of a set of Pods that carry `app: APP`. */
export function anyTemplate(scene: Scene, app: string): V1PodTemplateSpec {
  return { metadata: { labels: { app } }, spec: anyPodSpec(scene) };
}
