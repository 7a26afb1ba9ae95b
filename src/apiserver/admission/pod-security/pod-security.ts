import { Namespace } from "../../../api/core/namespace.ts";
import { Pod } from "../../../api/core/pod.ts";
import type { KubeObject } from "../../../api/machinery/object.ts";
import { invalid } from "../../../api/machinery/status-errors.ts";
import type { CacheReader } from "../../../client/cache.ts";
import type { AdmissionCall } from "../../request.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isAbout, refuse } from "../refusal.ts";
import { type CheckedPod, containersOf } from "./check.ts";
import { violations, violationText } from "./evaluate.ts";
import { formatLevel, type LevelVersion, readPolicy } from "./policy.ts";

/** Pods looked at when a namespace becomes stricter. Some 5 µs each. @spec k8s@1.36 defaultNamespaceMaxPodsToCheck */
const PODS_CHECKED_MAX = 3000;

/** Where workloads keep the Pods they will make. */
const TEMPLATES: Readonly<Record<string, (object: Workload) => CheckedPod | undefined>> = {
  "cronjobs.batch": ({ spec }) => spec?.jobTemplate?.spec?.template,
  "daemonsets.apps": ({ spec }) => spec?.template,
  "deployments.apps": ({ spec }) => spec?.template,
  "jobs.batch": ({ spec }) => spec?.template,
  podtemplates: ({ template }) => template,
  "replicasets.apps": ({ spec }) => spec?.template,
  replicationcontrollers: ({ spec }) => spec?.template,
  "statefulsets.apps": ({ spec }) => spec?.template,
};

interface Workload {
  readonly template?: CheckedPod;
  readonly spec?: {
    readonly template?: CheckedPod;
    readonly jobTemplate?: { readonly spec?: { readonly template?: CheckedPod } };
  };
}

/**
 * Holds Pods to the level that their namespace asks for: refuses by `enforce`, warns by `warn` (workloads too).
 *
 * @spec k8s@1.36 pod-security-admission/admission/admission.go
 */
export class PodSecurity implements AdmissionPlugin {
  readonly name = "PodSecurity";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles(call: AdmissionCall): boolean {
    if (call.operation !== "CREATE" && call.operation !== "UPDATE") return false;
    return (
      isAbout(call, "pods") ||
      isAbout(call, "pods", "ephemeralcontainers") ||
      isAbout(call, "namespaces") ||
      (call.info.subresource === "" && templateOf(call) !== undefined)
    );
  }

  validate(call: AdmissionCall): void {
    if (isAbout(call, "namespaces")) return this.#checkNamespace(call);
    const key = { namespace: "", name: call.info.namespace };
    const { enforce, warn } = readPolicy(this.#cache.get(Namespace, key)?.metadata?.labels);
    if (call.info.plural === "pods") return checkPod(call, enforce, warn);
    const warning = violationText("would violate", templateOf(call)!, warn);
    if (warning) call.warn(warning);
  }

  #checkNamespace(call: AdmissionCall): void {
    const name = call.object?.metadata?.name ?? "";
    const next = readPolicy(call.object?.metadata?.labels);
    const old = readPolicy(call.old?.metadata?.labels);
    const known = new Set(old.errors.map(({ field, badValue }) => `${field}=${String(badValue)}`));
    const errors = next.errors.filter(
      ({ field, badValue }) => !known.has(`${field}=${String(badValue)}`),
    );
    if (errors.length > 0) throw invalid({ group: "", kind: "Namespace", name, errors });
    if (call.old && formatLevel(next.enforce) !== formatLevel(old.enforce))
      for (const text of this.#strangers(name, next.enforce)) call.warn(text);
  }

  /** Warnings of Pods that are there and would not be let in any more; those alike share a line. */
  #strangers(namespace: string, level: LevelVersion): readonly string[] {
    if (level.level === "privileged") return [];
    const groups = new Map<string, string[]>();
    for (const pod of this.#cache.list(Pod, { namespace }).slice(0, PODS_CHECKED_MAX)) {
      const reasons = violations(pod, level).map(({ reason }) => reason);
      if (reasons.length === 0) continue;
      const text = reasons.join(", ");
      groups.set(text, [...(groups.get(text) ?? []), pod.metadata?.name ?? ""]);
    }
    if (groups.size === 0) return [];
    const title = JSON.stringify(formatLevel(level));
    return [
      `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${title}`,
      ...[...groups].map(
        ([reasons, [first, ...more]]) => `${first}${others(more.length)}: ${reasons}`,
      ),
    ];
  }
}

function others(count: number): string {
  if (count === 0) return "";
  return count === 1 ? " (and 1 other pod)" : ` (and ${count} other pods)`;
}

function checkPod(call: AdmissionCall, enforce: LevelVersion, warn: LevelVersion): void {
  if (call.old && !isSignificant(call.old, call.object!)) return;
  const pod = call.object as CheckedPod;
  const refusal = violationText("violates", pod, enforce);
  if (refusal) throw refuse(call, refusal);
  const warning = violationText("would violate", pod, warn);
  if (warning) call.warn(warning);
}

/** An update that changes no container changes nothing that the checks look at. */
function isSignificant(old: KubeObject, object: KubeObject): boolean {
  const parts = (pod: KubeObject): string =>
    JSON.stringify(
      containersOf(pod as CheckedPod).map(({ name, image, securityContext }) => [
        ...[name, image, securityContext],
      ]),
    );
  return parts(old) !== parts(object);
}

function templateOf(call: AdmissionCall): CheckedPod | undefined {
  const { group, plural } = call.info;
  const key = group ? `${plural}.${group}` : plural;
  const read = Object.hasOwn(TEMPLATES, key) ? TEMPLATES[key] : undefined;
  return call.object && read?.(call.object as Workload);
}
