import type { V1LimitRange, V1ResourceQuota } from "../../gen/types.ts";
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityProblem,
} from "../../api/machinery/quantity.ts";
import { commandFor, type Finding } from "./finding.ts";

/** What of a namespace may refuse its Pods. */
export interface Limits {
  /** What it is called, for the commands. */
  readonly namespace?: string | undefined;
  readonly quotas: readonly V1ResourceQuota[];
  readonly limitRanges: readonly V1LimitRange[];
}

/**
 * Why the server took no Pod, and what would have to change.
 *
 * `message`: the server's, as conditions and events of the Pod's owner carry it.
 * @spec k8s@1.36 plugin/pkg/admission/resourcequota, limitranger; pod-security-admission; serviceaccount; priority
 */
export function explainRefusal(message: string, limits: Limits): Finding {
  for (const [pattern, explain] of REFUSALS) {
    const found = pattern.exec(message);
    if (found) return { problem: message, ...explain(found, limits) };
  }
  return { problem: message };
}

type Explained = Omit<Finding, "problem">;

const REFUSALS: readonly (readonly [
  RegExp,
  (found: RegExpExecArray, limits: Limits) => Explained,
])[] = [
  [/exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: (\S+)/, exceeded],
  [/failed quota: ([^:]+): must specify (.+)$/, unspecified],
  [/(?:minimum|maximum) \S+ usage per |max limit to request ratio per /, outOfRange],
  [/violates PodSecurity "([^":]+)/, insecure],
  [
    /serviceaccount "([^"]+)" not found/,
    ([, name]) => ({ remedy: `create the serviceaccount ${name}` }),
  ],
  [
    /no PriorityClass with name (\S+) was found/,
    ([, name]) => ({ remedy: `create the priorityclass ${name}` }),
  ],
  [
    /admission webhook "([^"]+)"/,
    ([, name]) => ({
      remedy: `what the webhook ${name} asks for`,
      more: "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
    }),
  ],
];

/** `a=1,b=2`, by name. */
function amounts(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(",").map((pair) => pair.split("=") as [string, string]));
}

function exceeded(found: RegExpExecArray, { namespace, quotas }: Limits): Explained {
  const [, name = "", asked = "", used = "", limited = ""] = found;
  const quota = quotas.find(({ metadata }) => metadata?.name === name);
  const see = commandFor(namespace, `describe resourcequota ${name}`);
  if (quotas.length > 0 && !quota)
    return { remedy: `the quota ${name} is gone: it will be tried again` };
  const [then, most] = [amounts(used), amounts(limited)];
  const parts = [...amounts(asked)].map(([resource, amount]) => {
    const now = quota?.status?.used?.[resource] ?? then.get(resource) ?? "0";
    const hard = quota?.spec?.hard?.[resource] ?? most.get(resource) ?? "0";
    return { resource, amount, now, hard, fits: isRoom(now, amount, hard) };
  });
  const tight = parts.filter(({ fits }) => !fits);
  if (tight.length === 0)
    return { remedy: `there is room in the quota ${name} now: it will be tried again`, more: see };
  const words = tight.map(
    ({ resource, amount, now, hard }) =>
      `${resource}: asks for ${amount}, ${now} of ${hard} is used`,
  );
  return {
    remedy: `a larger quota ${name} (${commandFor(namespace, `edit resourcequota ${name}`)}), less asked for, or less in use: ${words.join("; ")}`,
    more: see,
  };
}

function isRoom(used: string, asked: string, hard: string): boolean {
  if ([used, asked, hard].some((text) => quantityProblem(text) !== undefined)) return false;
  const sum = addQuantities(parseQuantity(used), parseQuantity(asked));
  return compareQuantities(sum, parseQuantity(hard)) <= 0;
}

function unspecified([, name = "", what = ""]: RegExpExecArray, { namespace }: Limits): Explained {
  return {
    remedy: `the quota ${name} counts it: specify ${what}, or give a default with a LimitRange`,
    more: commandFor(namespace, `describe resourcequota ${name}`),
  };
}

/** Limit ranges do not name themselves: those that say anything are named. */
function outOfRange(_found: RegExpExecArray, { namespace, limitRanges }: Limits): Explained {
  const names = limitRanges.map(({ metadata }) => metadata?.name ?? "");
  const [first] = names;
  if (first === undefined)
    return { remedy: "requests and limits within the namespace's LimitRange" };
  return {
    remedy: `requests and limits within the LimitRange ${names.join(" and ")}, or a wider one (${commandFor(namespace, `edit limitrange ${first}`)})`,
    more: commandFor(namespace, `describe limitrange ${first}`),
  };
}

function insecure([, level = ""]: RegExpExecArray): Explained {
  return {
    remedy:
      `a securityContext as the level ${level} asks for, ` +
      `or another level of the namespace (label pod-security.kubernetes.io/enforce)`,
  };
}
