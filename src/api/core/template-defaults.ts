import type { V1PodTemplateSpec } from "../../gen/types.ts";
import { withPodSpecDefaults } from "./pod-defaults.ts";
import { mapField } from "../strategy/strategy.ts";

/** Defaults of a pod template, the same for every workload. */
export function withTemplateDefaults(template: V1PodTemplateSpec): V1PodTemplateSpec {
  return mapField(template, "spec", withPodSpecDefaults);
}
