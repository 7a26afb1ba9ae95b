import type { V1Pod } from "../gen/types.ts";
import type { Candidate } from "./preemption.ts";
import { SCORE_MAX, type Rejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

/** A program of the user's that has a say in scheduling. @spec kubescheduler.config.k8s.io/v1 Extender */
export interface ExtenderSettings {
  readonly urlPrefix: string;
  /** "": it is not asked. */
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly preemptVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly timeoutMs: number;
  /** It knows the nodes itself and is sent names. */
  readonly isNodeCacheCapable: boolean;
  /** Pods are scheduled without it when it does not answer. */
  readonly isIgnorable: boolean;
  /** It has a say only in Pods that ask for one of these; none: in all. */
  readonly managedResources: readonly {
    readonly name: string;
    readonly ignoredByScheduler: boolean;
  }[];
  /** Of https; absent: as the machine trusts. */
  readonly tls?: ExtenderTls;
}

/** How an extender is known, and how it knows us. @spec kubescheduler.config.k8s.io/v1 ExtenderTLSConfig */
export interface ExtenderTls {
  /** Whoever answers is believed. */
  readonly isInsecure: boolean;
  /** What its certificate must be for; "": the host of its address. */
  readonly serverName: string;
  readonly ca: Pem | undefined;
  readonly cert: Pem | undefined;
  readonly key: Pem | undefined;
}

/** The path of a file, or the text itself, which goes before it. */
export type Pem = { readonly file: string } | { readonly text: string };

/**
 * Sends JSON and returns the JSON of an answer with status 200.
 *
 * `tls` is the same object each time.
 * @throws {Error} no such answer came in time.
 */
export type PostJson = (
  url: string,
  body: object,
  timeoutMs: number,
  tls?: ExtenderTls,
) => Promise<unknown>;

/** Highest score of an extender. @spec kube-scheduler extender/v1 MaxExtenderPriority */
const EXTENDER_SCORE_MAX = 10;

/** What an extender leaves of the nodes. */
export interface ExtenderFilter {
  readonly left: readonly NodeInfo[];
  readonly refused: ReadonlyMap<NodeInfo, Rejection>;
}

/** One extender, spoken to over HTTP. @spec k8s@1.36 pkg/scheduler/extender.go; kube-scheduler extender/v1 types.go */
export class Extender {
  readonly settings: ExtenderSettings;
  readonly #post: PostJson;

  constructor(settings: ExtenderSettings, post: PostJson) {
    this.settings = settings;
    this.#post = post;
  }

  /** True when it has a say in such a Pod. */
  isInterested(pod: V1Pod): boolean {
    const { managedResources } = this.settings;
    if (managedResources.length === 0) return true;
    const asked = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    return asked.some(({ resources }) =>
      managedResources.some(
        ({ name }) =>
          Object.hasOwn(resources?.requests ?? {}, name) ||
          Object.hasOwn(resources?.limits ?? {}, name),
      ),
    );
  }

  /** @throws {Error} it did not answer as it should. */
  async filter(pod: V1Pod, nodes: readonly NodeInfo[]): Promise<ExtenderFilter> {
    const answer = await this.#ask(this.settings.filterVerb, this.#args(pod, nodes));
    throwIfRefused(answer);
    const names = this.#namesOf(answer);
    const kept = names && new Set(names);
    const failed = recordOf(fieldOf(answer, "FailedNodes"));
    const hopeless = recordOf(fieldOf(answer, "FailedAndUnresolvableNodes"));
    const refused = new Map<NodeInfo, Rejection>();
    const left: NodeInfo[] = [];
    for (const node of nodes) {
      const why = hopeless[node.name] ?? failed[node.name];
      const isLeft = kept ? kept.has(node.name) : why === undefined;
      if (isLeft) left.push(node);
      else
        refused.set(node, {
          reasons: [String(why ?? "node(s) were refused by an extender")],
          isUnresolvable: hopeless[node.name] !== undefined,
        });
    }
    return { left, refused };
  }

  /** Scores by node name, as they count beside the plugins'. @throws {Error} */
  async prioritize(pod: V1Pod, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#ask(this.settings.prioritizeVerb, this.#args(pod, nodes));
    if (!Array.isArray(answer)) throw new Error("expected a list of hosts and scores");
    return new Map(
      answer.map((one: Answer) => [
        String(fieldOf(one, "Host")),
        Number(fieldOf(one, "Score")) * this.settings.weight * (SCORE_MAX / EXTENDER_SCORE_MAX),
      ]),
    );
  }

  /** The candidates that it agrees to, with the victims that it names. @throws {Error} */
  async preempt(pod: V1Pod, candidates: readonly Candidate[]): Promise<readonly Candidate[]> {
    const meta = ({ victims, violations }: Candidate): object => ({
      Pods: victims.map((victim) => ({ UID: victim.metadata?.uid })),
      NumPDBViolations: violations,
    });
    const whole = ({ victims, violations }: Candidate): object => ({
      Pods: victims,
      NumPDBViolations: violations,
    });
    const byName = (shape: (candidate: Candidate) => object): object =>
      Object.fromEntries(candidates.map((candidate) => [candidate.node.name, shape(candidate)]));
    const args = this.settings.isNodeCacheCapable
      ? { Pod: pod, NodeNameToMetaVictims: byName(meta) }
      : { Pod: pod, NodeNameToVictims: byName(whole) };
    const answer = await this.#ask(this.settings.preemptVerb, args);
    const agreed = recordOf(fieldOf(answer, "NodeNameToMetaVictims"));
    return candidates.flatMap((candidate) => {
      const told = agreed[candidate.node.name] as MetaVictims | undefined;
      if (!told) return [];
      const uids = new Set((told.Pods ?? []).map(({ UID }) => UID));
      const placed = [...candidate.node.pods.values()].map((one) => one.pod);
      const victims = placed.filter(({ metadata }) => uids.has(metadata?.uid ?? ""));
      const violations = told.NumPDBViolations ?? 0;
      return victims.length > 0 ? [{ node: candidate.node, victims, violations }] : [];
    });
  }

  /** Lets it bind the Pod. @throws {Error} */
  async bind(pod: V1Pod, node: string): Promise<void> {
    const { name, namespace, uid } = pod.metadata ?? {};
    const body = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
    const answer = await this.#ask(this.settings.bindVerb, body);
    throwIfRefused(answer);
  }

  #args(pod: V1Pod, nodes: readonly NodeInfo[]): object {
    if (this.settings.isNodeCacheCapable)
      return { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) };
    const items = nodes.map(({ node }) => node);
    return { Pod: pod, Nodes: { metadata: {}, items }, NodeNames: null };
  }

  /** `undefined`: it names none, and those that it does not refuse are left. */
  #namesOf(answer: Answer): readonly string[] | undefined {
    const names = fieldOf(answer, "NodeNames");
    if (this.settings.isNodeCacheCapable && Array.isArray(names)) return names.map(String);
    const { items } = recordOf(fieldOf(answer, "Nodes"));
    if (!Array.isArray(items)) return undefined;
    return items.map((node: { metadata?: { name?: string } }) => node.metadata?.name ?? "");
  }

  async #ask(verb: string, body: object): Promise<Answer> {
    const { urlPrefix, timeoutMs, tls } = this.settings;
    return recordOf(await this.#post(`${urlPrefix}/${verb}`, body, timeoutMs, tls));
  }
}

type Answer = Readonly<Record<string, unknown>>;

interface MetaVictims {
  readonly Pods?: readonly { readonly UID: string }[];
  readonly NumPDBViolations?: number;
}

/** Its fields are found whatever their case, as Go finds them: extenders are written in many languages. */
function fieldOf(answer: Answer, name: string): unknown {
  if (Object.hasOwn(answer, name)) return answer[name];
  const key = Object.keys(answer).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : answer[key];
}

function throwIfRefused(answer: Answer): void {
  const error = fieldOf(answer, "Error");
  if (error) throw new Error(String(error));
}

function recordOf(value: unknown): Answer {
  return typeof value === "object" && value !== null ? (value as Answer) : {};
}

/** Extended resources that only extenders look at. */
export function ignoredResources(extenders: readonly ExtenderSettings[]): readonly string[] {
  return extenders.flatMap(({ managedResources }) =>
    managedResources.flatMap(({ name, ignoredByScheduler }) => (ignoredByScheduler ? [name] : [])),
  );
}
