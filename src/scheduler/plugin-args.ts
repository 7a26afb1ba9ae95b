import type { V1NodeAffinity, V1TopologySpreadConstraint } from "../gen/types.ts";
import type { Plugin } from "./framework.ts";
import { balancedAllocation } from "./plugins/balanced-allocation.ts";
import { dynamicResources } from "./plugins/dynamic-resources.ts";
import { imageLocality } from "./plugins/image-locality.ts";
import { interPodAffinity } from "./plugins/inter-pod-affinity.ts";
import { nodeAffinity } from "./plugins/node-affinity.ts";
import { nodeDeclaredFeatures } from "./plugins/node-declared-features.ts";
import { nodeName } from "./plugins/node-name.ts";
import { nodePorts } from "./plugins/node-ports.ts";
import { nodeResourcesFit } from "./plugins/node-resources-fit.ts";
import { nodeUnschedulable } from "./plugins/node-unschedulable.ts";
import { nodeVolumeLimits } from "./plugins/node-volume-limits.ts";
import { podTopologySpread, SYSTEM_DEFAULTS } from "./plugins/pod-topology-spread.ts";
import {
  LEAST_ALLOCATED,
  type ScoringStrategy,
  type ShapePoint,
  type WeightedResource,
} from "./plugins/resource-strategies.ts";
import { taintToleration } from "./plugins/taint-toleration.ts";
import { volumeBinding } from "./plugins/volume-binding.ts";
import { volumeRestrictions } from "./plugins/volume-restrictions.ts";
import { volumeZone } from "./plugins/volume-zone.ts";
import { DEFAULT_PREEMPTION, type PreemptionSettings } from "./profile.ts";

/** Arguments of a plugin make no sense. Whoever reads the file says where. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

type Args = Readonly<Record<string, unknown>>;
type Factory = (args: Args, ignored: readonly string[]) => Plugin;

/** What makes each plugin; `undefined`: it is part of the scheduler itself, or has nothing to do yet. In the default order. */
const FACTORIES: Readonly<Record<string, Factory | undefined>> = {
  SchedulingGates: undefined,
  PrioritySort: undefined,
  NodeUnschedulable: () => nodeUnschedulable as Plugin,
  NodeName: () => nodeName as Plugin,
  TaintToleration: () => taintToleration as Plugin,
  NodeAffinity: (args) => nodeAffinity(args["addedAffinity"] as V1NodeAffinity) as Plugin,
  NodePorts: () => nodePorts as Plugin,
  NodeResourcesFit: resourcesFit,
  VolumeRestrictions: () => volumeRestrictions as Plugin,
  NodeVolumeLimits: () => nodeVolumeLimits as Plugin,
  VolumeBinding: () => volumeBinding as Plugin,
  VolumeZone: () => volumeZone as Plugin,
  PodTopologySpread: topologySpread,
  InterPodAffinity: podAffinity,
  DynamicResources: () => dynamicResources as Plugin,
  DefaultPreemption: undefined,
  NodeResourcesBalancedAllocation: (args) =>
    balancedAllocation(
      args["resources"] === undefined
        ? undefined
        : resourcesAt(args["resources"], "resources").map(({ name }) => name),
    ) as Plugin,
  ImageLocality: () => imageLocality as Plugin,
  DefaultBinder: undefined,
  NodeDeclaredFeatures: () => nodeDeclaredFeatures as Plugin,
};

/** Every plugin that a profile may name, in the default order. @spec k8s@1.36 apis/config/v1 getDefaultPlugins */
export const PLUGIN_NAMES: readonly string[] = Object.keys(FACTORIES);

/** The plugins of a profile that says nothing of them. */
export const DEFAULT_PLUGINS: readonly Plugin[] = PLUGIN_NAMES.flatMap(
  (name) => pluginOf(name, {}) ?? [],
);

/** True when a profile may name it. */
export function isKnownPlugin(name: string): boolean {
  return Object.hasOwn(FACTORIES, name);
}

/** `ignored`: resources that extenders look at alone. @throws {ArgumentError} */
export function pluginOf(
  name: string,
  args: Args,
  ignored: readonly string[] = [],
): Plugin | undefined {
  return FACTORIES[name]?.(args, ignored);
}

/** @throws {ArgumentError} @spec ValidateDefaultPreemptionArgs */
export function preemptionOf(args: Args): PreemptionSettings {
  const { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute } =
    DEFAULT_PREEMPTION;
  return {
    minCandidateNodesPercentage: numberAt(args, "minCandidateNodesPercentage", percentage, 0, 100),
    minCandidateNodesAbsolute: numberAt(args, "minCandidateNodesAbsolute", absolute, 0, 1e9),
  };
}

/** How long a Pod's volumes may take to be bound, in ms. @spec VolumeBindingArgs, default 600 s */
export function volumeBindTimeoutOf(args: Args): number {
  return 1000 * numberAt(args, "bindTimeoutSeconds", 600, 0, 1e6);
}

function resourcesFit(args: Args, managed: readonly string[]): Plugin {
  const ignored = [...managed, ...textsAt(args, "ignoredResources")];
  const ignoredGroups = textsAt(args, "ignoredResourceGroups");
  const { scoringStrategy } = args;
  const strategy = scoringStrategy === undefined ? LEAST_ALLOCATED : strategyOf(scoringStrategy);
  return nodeResourcesFit({ strategy, ignored, ignoredGroups }) as Plugin;
}

const STRATEGIES: readonly string[] = [
  "LeastAllocated",
  "MostAllocated",
  "RequestedToCapacityRatio",
];

function strategyOf(value: unknown): ScoringStrategy {
  const { type = "LeastAllocated", resources, requestedToCapacityRatio } = value as Args;
  if (!STRATEGIES.includes(type as string))
    throw new ArgumentError(`scoringStrategy.type ${JSON.stringify(type)}: one of ${STRATEGIES}`);
  return {
    type: type as ScoringStrategy["type"],
    resources:
      resources === undefined
        ? LEAST_ALLOCATED.resources
        : resourcesAt(resources, "scoringStrategy.resources"),
    shape: type === "RequestedToCapacityRatio" ? shapeAt(requestedToCapacityRatio) : [],
  };
}

function resourcesAt(value: unknown, path: string): readonly WeightedResource[] {
  if (!Array.isArray(value)) throw new ArgumentError(`${path}: expected a list`);
  return value.map((one: Args, index) => {
    const { name } = one;
    if (typeof name !== "string" || name === "")
      throw new ArgumentError(`${path}[${index}].name: expected a resource's name`);
    return { name, weight: numberAt(one, "weight", 1, 1, 100) };
  });
}

/** @spec ValidateNodeResourcesFitArgs validateFunctionShape */
function shapeAt(ratio: unknown): readonly ShapePoint[] {
  const path = "scoringStrategy.requestedToCapacityRatio.shape";
  const shape = (ratio as Args | undefined)?.["shape"];
  if (!Array.isArray(shape) || shape.length === 0)
    throw new ArgumentError(`${path}: at least one point must be specified`);
  const points = shape.map((point: Args) => ({
    utilization: numberAt(point, "utilization", 0, 0, 100),
    score: numberAt(point, "score", 0, 0, 10),
  }));
  const isAscending = points.every(
    ({ utilization }, index) => index === 0 || utilization > points[index - 1]!.utilization,
  );
  if (!isAscending)
    throw new ArgumentError(`${path}: utilization values must be sorted in increasing order`);
  return points;
}

function podAffinity(args: Args): Plugin {
  return interPodAffinity({
    hardPodAffinityWeight: numberAt(args, "hardPodAffinityWeight", 1, 0, 100),
    ignorePreferredTermsOfExistingPods: args["ignorePreferredTermsOfExistingPods"] === true,
  }) as Plugin;
}

/** @spec ValidatePodTopologySpreadArgs */
function topologySpread(args: Args): Plugin {
  const { defaultingType = "System", defaultConstraints = [] } = args;
  if (!Array.isArray(defaultConstraints))
    throw new ArgumentError("defaultConstraints: expected a list");
  if (defaultingType === "System") {
    if (defaultConstraints.length > 0)
      throw new ArgumentError("defaultConstraints: when .defaultingType is System, must be empty");
    return podTopologySpread(SYSTEM_DEFAULTS) as Plugin;
  }
  if (defaultingType !== "List")
    throw new ArgumentError(`defaultingType ${JSON.stringify(defaultingType)}: System or List`);
  const defaults = defaultConstraints as readonly V1TopologySpreadConstraint[];
  defaults.forEach(({ maxSkew, topologyKey, whenUnsatisfiable, labelSelector }, index) => {
    const path = `defaultConstraints[${index}]`;
    if (!(maxSkew > 0)) throw new ArgumentError(`${path}.maxSkew: must be greater than zero`);
    if (!topologyKey) throw new ArgumentError(`${path}.topologyKey: can not be empty`);
    if (!["DoNotSchedule", "ScheduleAnyway"].includes(whenUnsatisfiable))
      throw new ArgumentError(`${path}.whenUnsatisfiable: DoNotSchedule or ScheduleAnyway`);
    if (labelSelector)
      throw new ArgumentError(
        `${path}.labelSelector: constraint must not define a selector, as they deduced for each pod`,
      );
  });
  return podTopologySpread({ defaults, isSystem: false }) as Plugin;
}

function numberAt(
  args: Args,
  name: string,
  byDefault: number,
  least: number,
  most: number,
): number {
  const value = args[name] ?? byDefault;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  throw new ArgumentError(
    `${name} ${JSON.stringify(value)}: not in valid range [${least}-${most}]`,
  );
}

function textsAt(args: Args, name: string): readonly string[] {
  const value = args[name] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw new ArgumentError(`${name}: expected a list of names`);
}
