import type { Random } from "../base/random.ts";
import { Recent } from "../base/recent.ts";
import type { V1Pod } from "../gen/types.ts";
import { ClassScores } from "./class-scores.ts";
import { closedTo, decideBy, NO_NODES, type Decision } from "./cycle.ts";
import type { CycleTimes } from "./cycle-times.ts";
import { FreshLook } from "./look.ts";
import type { PodClass, PodClasses } from "./pod-class.ts";
import { DEFAULT_PREEMPTION, type PreemptionSettings } from "./profile.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";

/** Classes whose scores are kept, to twice as many: those of the templates at work. At 5,000 nodes one takes 200 kB. */
const SCORES_MAX = 32;

/** Classes that are known to have come once, to twice as many. */
const ONCE_MAX = 512;

/** Decides as `decide` in cycle.ts does, from what it remembers of earlier decisions. */
export class Decider {
  readonly #cache: SchedulerCache;
  readonly #classes: PodClasses;
  readonly #random: Random;
  readonly #preemption: PreemptionSettings | null;
  readonly #times: CycleTimes | undefined;
  readonly #scores = new Recent<PodClass, ClassScores>(SCORES_MAX);
  /** Those that came once: what is found out for one that never comes again need not be kept. */
  readonly #once = new Recent<PodClass, true>(ONCE_MAX);

  constructor(
    cache: SchedulerCache,
    classes: PodClasses,
    random: Random,
    preemption: PreemptionSettings | null = DEFAULT_PREEMPTION,
    times?: CycleTimes,
  ) {
    this.#times = times;
    this.#preemption = preemption;
    this.#cache = cache;
    this.#classes = classes;
    this.#random = random;
  }

  decide(pod: V1Pod): Decision {
    const times = this.#times;
    times?.begin();
    const podClass = this.#classes.of(pod);
    const scores = this.#scoresOf(podClass);
    if (this.#cache.nodes.length === 0) return NO_NODES;
    const closed = closedTo(podClass, this.#cache);
    times?.lap("PreFilter", closed && "UnschedulableAndUnresolvable");
    if (closed) return closed;
    scores?.update();
    const look = scores ?? new FreshLook(podClass, this.#cache);
    times?.lap("Filter");
    const decision = decideBy(look, pod, podClass, this.#cache, this.#random, this.#preemption);
    if (decision.kind === "bind") {
      times?.lap("Score");
      times?.decided(podClass, look, decision.node, this.#cache);
    } else if (this.#preemption)
      times?.lap("PostFilter", decision.kind === "preempt" ? "Success" : "Unschedulable");
    return decision;
  }

  /** Gives back the memory: nothing was to be decided for a while. */
  rest(): void {
    this.#scores.clear();
    this.#once.clear();
  }

  #scoresOf(podClass: PodClass): ClassScores | undefined {
    // Few nodes, and a class of its own for each Pod of a DaemonSet.
    if (podClass.candidates) return undefined;
    const known = this.#scores.get(podClass);
    if (known) return known;
    if (!this.#once.get(podClass)) {
      this.#once.set(podClass, true);
      return undefined;
    }
    const scores = new ClassScores(podClass, this.#cache);
    this.#scores.set(podClass, scores);
    return scores;
  }
}
