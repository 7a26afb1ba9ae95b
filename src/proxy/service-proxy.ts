import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Cache } from "../client/cache.ts";
import type { RuleExecutor } from "./executor/nft.ts";
import { hasHostPorts, planRules } from "./plan-services.ts";
import { emptyPlan, type RulePlan } from "./rule-plan.ts";
import { changeText, tableText, type TableSettings } from "./rule-text.ts";

/** After a refused transaction the table is rebuilt whole, after this many ms, doubled up to the maximum. */
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 30_000;

/** What a proxy stands on. */
export interface ServiceProxyOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly executor: RuleExecutor;
  readonly nodeName: string;
  readonly ownAddresses: ReadonlySet<string>;
  readonly settings: TableSettings;
}

/**
 * Keeps the node's rules in step with Services and their endpoints.
 *
 * Flow: any change plans anew from the caches; the difference to what is applied goes out as one transaction; changes that
 * arrive meanwhile are met by the next one. A lone change goes out at once.
 * Guarantees: what is applied was a plan of some moment, never a mixture; after a failure the table is rebuilt whole.
 */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  #settings: TableSettings;
  #applied: RulePlan | undefined;
  /** All kinds were listed. Before, a plan would take endpoints away from Services that the last agent's rules serve. */
  #isSynced = false;
  #isBusy = false;
  #running: Promise<void> = Promise.resolve();
  #isStale = false;
  #isClosed = false;
  #failures = 0;
  #timer: Timer | undefined;

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Resolves when the rules of all Services known at the start are in force. */
  async start(): Promise<void> {
    const { cache, nodeName } = this.#options;
    for (const kind of [Service, EndpointSlice]) {
      cache.onChange(kind, () => this.#changed());
      await cache.sync(kind);
    }
    // Hints go by the node's zone. Until it is known they are not followed, which nobody waits for.
    cache.onChange(Node, ({ key, old, object }) => {
      if (key.name === nodeName && zoneOf(old) !== zoneOf(object)) this.#changed();
    });
    void cache.sync(Node);
    // Most Pods have no host ports, and a busy node's change all the time.
    cache.onChange(Pod, ({ old, object }) => {
      if ([old, object].some((pod) => pod && hasHostPorts(pod))) this.#changed();
    });
    await cache.sync(Pod);
    this.#isSynced = true;
    this.#changed();
    await this.#running;
  }

  /** The node has got its pod range: the fixed chains depend on it. After the start: resolves when they were applied or refused. */
  async setNodePodCidr(nodePodCidr: string): Promise<void> {
    if (this.#settings.nodePodCidr === nodePodCidr) return;
    this.#settings = { ...this.#settings, nodePodCidr };
    this.#applied = undefined;
    this.#changed();
    await this.#running;
  }

  /** Applies nothing more. The rules stay: connections go on while an agent is replaced. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #changed(): void {
    this.#isStale = true;
    if (this.#isSynced && !this.#isBusy && !this.#timer) this.#running = this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    this.#isStale = true;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      if (!(await this.#apply())) break;
    }
    this.#isBusy = false;
  }

  async #apply(): Promise<boolean> {
    const { executor, logger } = this.#options;
    const plan = this.#plan();
    const text = this.#applied ? changeText(this.#applied, plan) : tableText(plan, this.#settings);
    if (text === "") return true;
    try {
      await executor.apply(text);
      this.#applied = plan;
      this.#failures = 0;
      return true;
    } catch (error) {
      logger.error("service rules were refused", { error: String(error) });
      this.#applied = undefined;
      this.#retry();
      return false;
    }
  }

  #retry(): void {
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++);
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      void this.#run();
    });
  }

  #plan(): RulePlan {
    const { cache, nodeName, ownAddresses } = this.#options;
    if (this.#isClosed) return this.#applied ?? emptyPlan();
    return planRules({
      nodeName,
      zone: zoneOf(cache.get(Node, { namespace: "", name: nodeName })),
      ownAddresses,
      services: cache.list(Service),
      slices: cache.list(EndpointSlice),
      pods: cache.list(Pod, { where: (pod) => pod.spec?.nodeName === nodeName }),
    });
  }
}

function zoneOf(node: KubeObject | undefined): string {
  return node?.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "";
}
