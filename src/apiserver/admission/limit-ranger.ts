import { LimitRange } from "../../api/core/limit-range.ts";
import type { Pod } from "../../api/core/pod.ts";
import { podLimits, podRequests, type Amounts } from "../../api/core/pod-requests.ts";
import {
  formatQuantity,
  parseQuantity,
  quantityFromMillis,
  quantityFromUnits,
  quantityProblem,
  type Quantity,
} from "../../api/machinery/quantity.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { V1Container, V1LimitRangeItem, V1PersistentVolumeClaim } from "../../gen/types.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type List = Readonly<Record<string, string>>;

/** What one container, Pod or claim asks for. */
interface Asked {
  readonly type: string;
  request(name: string): Quantity | undefined;
  limit(name: string): Quantity | undefined;
}

/**
 * Gives containers the requests and limits that the namespace's LimitRanges have for them, and refuses what lies outside of
 * their bounds.
 *
 * @spec k8s@1.36 plugin/pkg/admission/limitranger/admission.go
 */
export class LimitRanger implements AdmissionPlugin {
  readonly name = "LimitRanger";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles(call: AdmissionCall): boolean {
    if (call.operation === "CREATE")
      return isAbout(call, "pods") || isAbout(call, "persistentvolumeclaims");
    return (
      call.operation === "UPDATE" && (isAbout(call, "persistentvolumeclaims") || isResize(call))
    );
  }

  admit(call: AdmissionCall): Pod | undefined {
    if (!isAbout(call, "pods")) return undefined;
    const pod = call.object as Pod;
    let changed = pod;
    for (const item of this.#items(call))
      if (item.type === "Container") changed = withDefaults(changed, item);
    return changed === pod ? undefined : changed;
  }

  validate(call: AdmissionCall): void {
    const items = this.#items(call);
    if (items.length === 0) return;
    const asked = isAbout(call, "persistentvolumeclaims")
      ? [claimAsked(call.object as V1PersistentVolumeClaim)]
      : podAsked(call.object as Pod);
    const problems = items.flatMap((item) =>
      asked.filter(({ type }) => type === item.type).flatMap((one) => problemsOf(item, one)),
    );
    if (problems.length === 1) throw refuse(call, problems[0]!);
    if (problems.length > 1) throw refuse(call, `[${[...new Set(problems)].join(", ")}]`);
  }

  #items({ info }: AdmissionCall): readonly V1LimitRangeItem[] {
    const { namespace } = info;
    return this.#cache.list(LimitRange, { namespace }).flatMap(({ spec }) => spec?.limits ?? []);
  }
}

function isResize(call: AdmissionCall): boolean {
  return isAbout(call, "pods", "resize");
}

/** @spec admission.go defaultContainerResourceRequirements, mergePodResourceRequirements */
function withDefaults(pod: Pod, item: V1LimitRangeItem): Pod {
  const notes: string[] = [];
  const fill =
    (kind: string) =>
    (container: V1Container): V1Container => {
      const { requests = {}, limits = {} } = container.resources ?? {};
      const newRequests = missing(requests, item.defaultRequest);
      const newLimits = missing(limits, item.default);
      if (newRequests.length > 0)
        notes.push(`${newRequests.join(", ")} request for ${kind} ${container.name}`);
      if (newLimits.length > 0)
        notes.push(`${newLimits.join(", ")} limit for ${kind} ${container.name}`);
      if (newRequests.length + newLimits.length === 0) return container;
      const resources = {
        ...container.resources,
        ...(Object.keys({ ...limits, ...item.default }).length > 0 && {
          limits: { ...item.default, ...limits },
        }),
        ...(Object.keys({ ...requests, ...item.defaultRequest }).length > 0 && {
          requests: { ...item.defaultRequest, ...requests },
        }),
      };
      return { ...container, resources };
    };
  const { containers = [], initContainers } = pod.spec ?? {};
  const filled = {
    containers: containers.map(fill("container")),
    ...(initContainers && { initContainers: initContainers.map(fill("init container")) }),
  };
  if (notes.length === 0) return pod;
  const note = { [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
  const annotations = { ...pod.metadata?.annotations, ...note };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...pod.spec!, ...filled },
  };
}

/** The names that `defaults` has and `own` lacks, sorted. */
function missing(own: List, defaults: List | undefined): readonly string[] {
  return Object.keys(defaults ?? {})
    .filter((name) => own[name] === undefined)
    .sort();
}

function podAsked(pod: Pod): readonly Asked[] {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const [requests, limits] = [podRequests(pod), podLimits(pod)];
  const whole: Asked = {
    type: "Pod",
    request: (name) => summed(requests, name),
    limit: (name) => summed(limits, name),
  };
  return [...all.map((container) => listAsked("Container", container.resources)), whole];
}

function summed(amounts: Amounts, name: string): Quantity | undefined {
  const amount = amounts.get(name);
  if (amount === undefined) return undefined;
  return name === "cpu" ? quantityFromMillis(amount) : quantityFromUnits(amount);
}

function claimAsked({ spec }: V1PersistentVolumeClaim): Asked {
  const requests = spec?.resources?.requests;
  return {
    ...listAsked("PersistentVolumeClaim", requests && { requests }),
    limit: () => undefined,
  };
}

function listAsked(type: string, resources: { requests?: List; limits?: List } | undefined): Asked {
  return {
    type,
    request: (name) => quantityOf(resources?.requests?.[name]),
    limit: (name) => quantityOf(resources?.limits?.[name]),
  };
}

function quantityOf(text: string | undefined): Quantity | undefined {
  return text === undefined || quantityProblem(text) ? undefined : parseQuantity(text);
}

/** In upstream's words. @spec admission.go minConstraint, maxConstraint, maxRequestConstraint, limitRequestRatioConstraint */
function problemsOf(item: V1LimitRangeItem, asked: Asked): readonly string[] {
  const isClaim = asked.type === "PersistentVolumeClaim";
  return [
    ...entries(item.min).flatMap(([name, bound]) => belowMin(asked, name, bound)),
    ...entries(item.max).flatMap(([name, bound]) =>
      isClaim ? requestAboveMax(asked, name, bound) : aboveMax(asked, name, bound),
    ),
    ...entries(item.maxLimitRequestRatio).flatMap(([name, bound]) =>
      aboveRatio(asked, name, bound),
    ),
  ];
}

function entries(list: List | undefined): readonly (readonly [string, string])[] {
  return Object.entries(list ?? {}).filter(([, text]) => !quantityProblem(text));
}

function belowMin({ type, request, limit }: Asked, name: string, bound: string): readonly string[] {
  const rule = `minimum ${name} usage per ${type} is ${bound}`;
  const least = parseQuantity(bound).nanos;
  const [asked, most] = [request(name), limit(name)];
  if (!asked) return [`${rule}.  No request is specified`];
  if (asked.nanos < least) return [`${rule}, but request is ${formatQuantity(asked)}`];
  return most && most.nanos < least ? [`${rule}, but limit is ${formatQuantity(most)}`] : [];
}

function aboveMax({ type, request, limit }: Asked, name: string, bound: string): readonly string[] {
  const rule = `maximum ${name} usage per ${type} is ${bound}`;
  const top = parseQuantity(bound).nanos;
  const [asked, most] = [request(name), limit(name)];
  if (!most) return [`${rule}.  No limit is specified`];
  if (most.nanos > top) return [`${rule}, but limit is ${formatQuantity(most)}`];
  return asked && asked.nanos > top ? [`${rule}, but request is ${formatQuantity(asked)}`] : [];
}

function requestAboveMax({ type, request }: Asked, name: string, bound: string): readonly string[] {
  const rule = `maximum ${name} usage per ${type} is ${bound}`;
  const asked = request(name);
  if (!asked) return [`${rule}.  No request is specified`];
  return asked.nanos > parseQuantity(bound).nanos
    ? [`${rule}, but request is ${formatQuantity(asked)}`]
    : [];
}

function aboveRatio(
  { type, request, limit }: Asked,
  name: string,
  bound: string,
): readonly string[] {
  const rule = `${name} max limit to request ratio per ${type} is ${bound}`;
  const [asked, most] = [request(name), limit(name)];
  if (!asked?.nanos) return [`${rule}, but no request is specified or request is 0`];
  if (!most?.nanos) return [`${rule}, but no limit is specified or limit is 0`];
  const ratio = Number(most.nanos) / Number(asked.nanos);
  const top = Number(parseQuantity(bound).nanos) / 1e9;
  return ratio > top ? [`${rule}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}
