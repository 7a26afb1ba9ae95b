import { decodeYaml } from "../api/machinery/yaml.ts";
import { extenderOf } from "./extender-settings.ts";
import { ConfigurationError, listAt, recordAt, wrong, type Part } from "./configuration-part.ts";
import { ignoredResources, type ExtenderSettings } from "./extender.ts";
import {
  ArgumentError,
  isKnownPlugin,
  pluginOf,
  PLUGIN_NAMES,
  volumeBindTimeoutOf,
  preemptionOf,
} from "./plugin-args.ts";
import { inUse, type PluginUse, type Profile } from "./profile.ts";

/** How the scheduler works, out of its configuration file. */
export interface SchedulerConfiguration {
  readonly profiles: readonly Profile[];
  readonly extenders: readonly ExtenderSettings[];
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}

const API_VERSION = "kubescheduler.config.k8s.io/v1";
const DEFAULT_NAME = "default-scheduler";

/** The configuration without a file: one profile with all plugins. */
export const DEFAULT_CONFIGURATION: SchedulerConfiguration = configurationOf({});

/**
 * Reads a KubeSchedulerConfiguration in YAML or JSON.
 *
 * @throws {ConfigurationError}
 * @spec k8s@1.36 kubescheduler.config.k8s.io/v1; pkg/scheduler/apis/config/validation
 */
export function readConfiguration(text: string): SchedulerConfiguration {
  let value: unknown;
  try {
    ({ value } = decodeYaml(text));
  } catch (error) {
    throw new ConfigurationError(`it is not YAML: ${String(error)}`);
  }
  const { apiVersion, kind } = recordAt(value, "");
  if (apiVersion !== API_VERSION || kind !== "KubeSchedulerConfiguration")
    throw new ConfigurationError(
      `expected kind KubeSchedulerConfiguration of ${API_VERSION}, found ${String(kind)} of ${String(apiVersion)}`,
    );
  return configurationOf(value as Part);
}

function configurationOf(file: Part): SchedulerConfiguration {
  const extenders = listAt(file["extenders"], "extenders").map((one, index) =>
    extenderOf(recordAt(one, `extenders[${index}]`), `extenders[${index}]`),
  );
  const ignored = ignoredResources(extenders);
  const listed = listAt(file["profiles"], "profiles");
  const profiles = (listed.length > 0 ? listed : [{}]).map((one, index) =>
    profileOf(recordAt(one, `profiles[${index}]`), `profiles[${index}]`, ignored),
  );
  profiles.forEach(({ schedulerName }, index) => {
    if (profiles.findIndex((one) => one.schedulerName === schedulerName) < index)
      throw wrong(`profiles[${index}].schedulerName`, schedulerName, "is there twice");
  });
  const initial = secondsAt(file["podInitialBackoffSeconds"], "podInitialBackoffSeconds", 1);
  const longest = secondsAt(file["podMaxBackoffSeconds"], "podMaxBackoffSeconds", 10);
  if (longest < initial)
    throw wrong(
      "podMaxBackoffSeconds",
      longest,
      "must be greater than or equal to PodInitialBackoffSeconds",
    );
  return {
    profiles,
    extenders,
    initialBackoffMs: initial * 1000,
    maxBackoffMs: longest * 1000,
  };
}

function profileOf(profile: Part, path: string, ignored: readonly string[]): Profile {
  const { schedulerName = DEFAULT_NAME } = profile;
  if (typeof schedulerName !== "string" || schedulerName === "")
    throw wrong(`${path}.schedulerName`, schedulerName, "must be a name");
  const args = new Map<string, Part>();
  listAt(profile["pluginConfig"], `${path}.pluginConfig`).forEach((one, index) => {
    const at = `${path}.pluginConfig[${index}]`;
    const { name, args: given } = recordAt(one, at);
    checkPlugin(name, `${at}.name`);
    if (args.has(name)) throw wrong(`${at}.name`, name, "is there twice");
    args.set(name, recordAt(given ?? {}, `${at}.args`));
  });
  const uses = usesOf(recordAt(profile["plugins"] ?? {}, `${path}.plugins`), `${path}.plugins`);
  try {
    const plugins = uses.order.flatMap((name) => {
      const use = uses.of(name);
      const plugin = use && pluginOf(name, args.get(name) ?? {}, ignored);
      return plugin ? [inUse(plugin, use)] : [];
    });
    const preempts = uses.isPreempting;
    const preemption = preempts ? preemptionOf(args.get("DefaultPreemption") ?? {}) : null;
    const isBinding = plugins.some(({ name }) => name === "VolumeBinding");
    const bindTimeoutMs = volumeBindTimeoutOf(args.get("VolumeBinding") ?? {});
    const volumeBindTimeoutMs = isBinding ? bindTimeoutMs : null;
    return { schedulerName, plugins, preemption, volumeBindTimeoutMs };
  } catch (error) {
    if (error instanceof ArgumentError)
      throw new ConfigurationError(`${path}.pluginConfig: ${error.message}`);
    throw error;
  }
}

interface Uses {
  readonly order: readonly string[];
  readonly isPreempting: boolean;
  /** `undefined`: the plugin is not at work. */
  of(name: string): PluginUse | undefined;
}

interface PluginSet {
  readonly enabled: ReadonlyMap<string, number | undefined>;
  readonly isDisabled: (name: string) => boolean;
}

/**
 * Which plugins are at work at which points.
 *
 * 1. The defaults, but for those that `multiPoint` disables; then those that it enables. One that is enabled anew has its new weight.
 * 2. Each point disables and enables on top of that.
 * @spec k8s@1.36 pkg/scheduler/framework/runtime expandMultiPointPlugins
 */
function usesOf(plugins: Part, path: string): Uses {
  const at = (point: string): PluginSet =>
    setOf(recordAt(plugins[point] ?? {}, `${path}.${point}`), `${path}.${point}`);
  const [multi, preFilter, filter] = [at("multiPoint"), at("preFilter"), at("filter")];
  const [preScore, score, postFilter] = [at("preScore"), at("score"), at("postFilter")];
  const kept = PLUGIN_NAMES.filter((name) => !multi.isDisabled(name) || multi.enabled.has(name));
  const isOn = (name: string, ...points: readonly PluginSet[]): boolean =>
    points.some(({ enabled }) => enabled.has(name)) ||
    (kept.includes(name) && !points.some(({ isDisabled }) => isDisabled(name)));
  return {
    order: PLUGIN_NAMES,
    isPreempting: isOn("DefaultPreemption", postFilter),
    of(name) {
      const filters = isOn(name, preFilter, filter);
      const scores = isOn(name, preScore, score);
      const weight = score.enabled.get(name) ?? multi.enabled.get(name);
      return filters || scores ? { filters, scores, weight } : undefined;
    },
  };
}

function setOf(set: Part, path: string): PluginSet {
  const enabled = new Map<string, number | undefined>();
  listAt(set["enabled"], `${path}.enabled`).forEach((one, index) => {
    const at = `${path}.enabled[${index}]`;
    const { name, weight } = recordAt(one, at);
    checkPlugin(name, `${at}.name`);
    if (weight !== undefined && !(Number.isInteger(weight) && (weight as number) >= 0))
      throw wrong(`${at}.weight`, weight, "must be a whole number that is not negative");
    // 0 is what is not said.
    enabled.set(name, (weight as number) || undefined);
  });
  const disabled = listAt(set["disabled"], `${path}.disabled`).map((one, index) => {
    const { name } = recordAt(one, `${path}.disabled[${index}]`);
    if (name !== "*") checkPlugin(name, `${path}.disabled[${index}].name`);
    return name;
  });
  return { enabled, isDisabled: (name) => disabled.includes("*") || disabled.includes(name) };
}

function checkPlugin(name: unknown, path: string): asserts name is string {
  if (typeof name !== "string" || !isKnownPlugin(name))
    throw wrong(path, name, `must be one of ${PLUGIN_NAMES.join(", ")}`);
}

function secondsAt(value: unknown, path: string, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw wrong(path, value, "must be greater than 0");
}
