import { parseTime, type Instant } from "../../base/clock.ts";
import type {
  V1Container,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1ResourceQuota,
  V1Service,
} from "../../gen/types.ts";
import { podQuantities } from "../core/pod-quantities.ts";
import { isShareable, placedRequests, podLimits } from "../core/pod-requests.ts";
import type { Kind } from "../machinery/kind.ts";
import type { KubeObject } from "../machinery/object.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityFromUnits,
  quantityProblem,
  type Quantity,
} from "../machinery/quantity.ts";
import { isInScopes, scopesOf } from "./scopes.ts";

/** Amounts by the names that quotas use: `pods`, `requests.cpu`, `count/deployments.apps`. */
export type Usage = ReadonlyMap<string, Quantity>;

type CountedKind = Pick<Kind, "group" | "plural">;
type Amount = Readonly<Record<string, string>>;

/** Kinds of the core group that a quota may also bound by their bare plural. @spec k8s@1.36 pkg/quota/v1/evaluator/core legacyObjectCountAliases */
const BARE = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);
/** Whose sums quotas bound under two names, `requests.cpu` and `cpu`, and that every container must name then. */
const COMPUTE = ["cpu", "memory"];
const POD_NAMES =
  /^(count\/pods|pods|((requests|limits)\.)?(cpu|memory|ephemeral-storage)|(requests\.)?hugepages-.*|requests\..*\/.*)$/;
const SERVICE_NAMES = /^(count\/services|services(\.nodeports|\.loadbalancers)?)$/;
const CLAIM_NAMES =
  /^(count\/persistentvolumeclaims|(.*\.storageclass\.storage\.k8s\.io\/)?(persistentvolumeclaims|requests\.storage))$/;
const ONE = quantityFromUnits(1);
const NO_SPEC: V1PodSpec = { containers: [] };

/** True where `kind` uses some of what a quota calls `name`. */
export function counts(kind: CountedKind, name: string): boolean {
  if (kind.group === "")
    switch (kind.plural) {
      case "pods":
        return POD_NAMES.test(name);
      case "services":
        return SERVICE_NAMES.test(name);
      case "persistentvolumeclaims":
        return CLAIM_NAMES.test(name);
    }
  return (
    name === countName(kind) || (kind.group === "" && BARE.has(kind.plural) && name === kind.plural)
  );
}

function countName({ group, plural }: CountedKind): string {
  return group === "" ? `count/${plural}` : `count/${plural}.${group}`;
}

/** True where `quota` counts `object`, of `kind`. @spec k8s@1.36 apiserver quota/v1/generic Matches */
export function applies(quota: V1ResourceQuota, kind: CountedKind, object: KubeObject): boolean {
  const { spec } = quota;
  if (!Object.keys(spec?.hard ?? {}).some((name) => counts(kind, name))) return false;
  if (isPods(kind)) return isInScopes(spec, object as V1Pod);
  return scopesOf(spec).length === 0;
}

/** What one object uses of all that quotas can bound. */
export function usageOf(kind: CountedKind, object: KubeObject, now: Instant): Usage {
  const usage = new Map<string, Quantity>([[countName(kind), ONE]]);
  if (kind.group !== "") return usage;
  switch (kind.plural) {
    case "pods":
      addPod(usage, object as V1Pod, now);
      break;
    case "services":
      addService(usage, object as V1Service);
      break;
    case "persistentvolumeclaims":
      addClaim(usage, object as V1PersistentVolumeClaim);
      break;
    default:
      if (BARE.has(kind.plural)) usage.set(kind.plural, ONE);
  }
  return usage;
}

/** Adds `more` to `total`, in place. */
export function addUsage(total: Map<string, Quantity>, more: Usage): void {
  for (const [name, amount] of more) {
    const sum = total.get(name);
    total.set(name, sum ? addQuantities(sum, amount) : amount);
  }
}

/** Pods that have ended use nothing but their place in the store. @spec pods.go QuotaV1Pod */
function isUsing({ metadata, status }: V1Pod, now: Instant): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function addPod(usage: Map<string, Quantity>, pod: V1Pod, now: Instant): void {
  if (!isUsing(pod, now)) return;
  usage.set("pods", ONE);
  addComputed(
    usage,
    podQuantities(pod.spec ?? NO_SPEC, placedRequests(pod), "requests"),
    podQuantities(pod.spec ?? NO_SPEC, podLimits(pod), "limits"),
  );
}

/** @spec pods.go podComputeUsageHelper */
function addComputed(usage: Map<string, Quantity>, requests: Usage, limits: Usage): void {
  for (const [name, amount] of requests) {
    usage.set(`requests.${name}`, amount);
    if (!name.includes("/")) usage.set(name, amount);
  }
  for (const [name, amount] of limits)
    if (COMPUTE.includes(name) || name === "ephemeral-storage") usage.set(`limits.${name}`, amount);
}

/** @spec k8s@1.36 pkg/quota/v1/evaluator/core/services.go */
function addService(usage: Map<string, Quantity>, { spec }: V1Service): void {
  const ports = spec?.ports ?? [];
  const isBalanced = spec?.type === "LoadBalancer";
  const owned =
    isBalanced && spec?.allocateLoadBalancerNodePorts === false
      ? ports.filter(({ nodePort }) => !!nodePort).length
      : ports.length;
  const nodePorts = isBalanced || spec?.type === "NodePort" ? owned : 0;
  usage.set("services", ONE);
  usage.set("services.nodeports", quantityFromUnits(nodePorts));
  usage.set("services.loadbalancers", quantityFromUnits(isBalanced ? 1 : 0));
}

/** @spec k8s@1.36 pkg/quota/v1/evaluator/core/persistent_volume_claims.go */
function addClaim(usage: Map<string, Quantity>, { spec, status }: V1PersistentVolumeClaim): void {
  const asked = amount(spec?.resources?.requests, "storage");
  const given = amount(status?.allocatedResources, "storage");
  const storage = asked && given && compareQuantities(given, asked) > 0 ? given : asked;
  const storageClass = spec?.storageClassName ?? "";
  const prefixes = ["", ...(storageClass ? [`${storageClass}.storageclass.storage.k8s.io/`] : [])];
  for (const prefix of prefixes) {
    usage.set(`${prefix}persistentvolumeclaims`, ONE);
    if (storage) usage.set(`${prefix}requests.storage`, storage);
  }
}

function amount(amounts: Amount | undefined, name: string): Quantity | undefined {
  const text = amounts?.[name];
  return text === undefined || quantityProblem(text) ? undefined : parseQuantity(text);
}

/**
 * What containers must name because a quota bounds it: `cpu for: a,b; memory for: a`; "": nothing is missing. A Pod that asks as a
 * whole need not say what its containers ask for, whatever it asks for.
 *
 * @spec k8s@1.36 pkg/quota/v1/evaluator/core/pods.go Constraints, enforcePodContainerConstraints
 */
export function missingRequests(
  kind: CountedKind,
  hard: readonly string[],
  object: KubeObject,
): string {
  if (!isPods(kind)) return "";
  const { spec } = object as V1Pod;
  if (asksAsAWhole(spec)) return "";
  const bounded = hard
    .filter((name) => COMPUTE.includes(name.replace(/^(requests|limits)\./, "")))
    .sort();
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return bounded
    .map((name) => ({ name, without: containers.filter((one) => !hasAmount(one, name)) }))
    .filter(({ without }) => without.length > 0)
    .map(
      ({ name, without }) =>
        `${name} for: ${without
          .map((one) => one.name)
          .sort()
          .join(",")}`,
    )
    .join("; ");
}

/** @spec k8s@1.36 component-helpers/resource IsPodLevelResourcesSet */
function asksAsAWhole(spec: V1Pod["spec"]): boolean {
  const { requests = {}, limits = {} } = spec?.resources ?? {};
  return [...Object.keys(requests), ...Object.keys(limits)].some(isShareable);
}

function hasAmount({ resources }: V1Container, name: string): boolean {
  if (name.startsWith("limits."))
    return resources?.limits?.[name.slice("limits.".length)] !== undefined;
  return resources?.requests?.[name.replace(/^requests\./, "")] !== undefined;
}

/** `cpu=1,memory=2Gi`. @spec k8s@1.36 plugin resourcequota prettyPrint */
export function formatUsage(usage: Usage): string {
  return [...usage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, quantity]) => `${name}=${formatQuantity(quantity)}`)
    .join(",");
}

/** The amounts of a list by their names. */
export function readUsage(amounts: Amount | undefined): Map<string, Quantity> {
  const found = Object.entries(amounts ?? {}).filter(([, text]) => !quantityProblem(text));
  return new Map(found.map(([name, text]) => [name, parseQuantity(text)]));
}

/** The inverse of {@link readUsage}. */
export function writeUsage(usage: Usage): Record<string, string> {
  return Object.fromEntries([...usage].map(([name, quantity]) => [name, formatQuantity(quantity)]));
}

function isPods({ group, plural }: CountedKind): boolean {
  return group === "" && plural === "pods";
}
