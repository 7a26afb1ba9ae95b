import { sleep } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/random.ts";
import { allCheckers } from "./checkers/all-checkers.ts";
import type { Checker } from "./checkers/checker.ts";
import { allFaults } from "./faults/all-faults.ts";
import type { Fault } from "./faults/fault.ts";
import { stepsOf } from "./workload/all-steps.ts";
import { clearAway } from "./workload/clear-away.ts";
import { gather, pushIn } from "./workload/crowd.ts";
import { provision } from "./workload/claims.ts";
import { makeNamespaces } from "./workload/namespaces.ts";
import { makePriorityClasses } from "./workload/priorities.ts";
import { tidyUp } from "./workload/tidy-up.ts";
import type { V1Pod } from "../../src/gen/types.ts";
import { isPreemption } from "./checkers/preemptions.ts";
import { Scene, type Step } from "./workload/step.ts";
import type { Change } from "./world/history.ts";
import { watchedParts } from "./world/watched-parts.ts";
import { World } from "./world/world.ts";

/** What became of one seed. */
export interface Outcome {
  readonly seed: number;
  /** Of everything that happened. */
  readonly hash: string;
  /** What was promised and not kept; empty when all is well. */
  readonly problems: readonly string[];
  readonly trace: readonly string[];
  readonly changes: readonly Change[];
  readonly steps: number;
  readonly faults: number;
  /** Pods that made way for others. */
  readonly preempted: number;
  readonly virtualMs: number;
}

const STEPS_MIN = 20;
const STEPS_MAX = 70;
const USERS_MAX = 2;
const WATCHERS = 2;
/** Between two steps of one user, in ms. */
const PAUSE_MS_MAX = 3000;
const FAULTS_MAX = 6;
/** In one world of so many, faults come in a storm … */
const STORM_ONE_OF = 6;
/** … of so many. */
const STORM_FAULTS_MAX = 18;
/** In one world of so many things go slowly: schedules come round … */
const LONG_ONE_OF = 6;
/** … with pauses so many times as long. */
const LONG_PACE = 5;
/** In one world of so many users delete everything in the end. */
const CLEARED_ONE_OF = 3;
/** In one world of so many the nodes are full, and who is worth more pushes in. */
const CROWDED_ONE_OF = 5;
/** How long users wait for a crowd to settle, in ms. */
const CROWD_MS_MAX = 20_000;
/** Within which faults begin, in ms; steps last about as long. */
const TROUBLE_MS = 100_000;

/** Nothing has changed for so long, in ms: it may be the end. */
const QUIET_MS = 20_000;
/** Between two looks whether it is, in ms. */
const LOOK_MS = 5000;
/** A world that is not at rest by then, in ms, never will be: beyond all back-offs of controllers (17 min). */
const REST_MS_MAX = 30 * 60_000;

/** What a world is to suffer, whatever its seed says. */
export interface Trouble {
  /** Faults come in a storm. */
  readonly isStorm: boolean;
  /** Only this one comes. Absent: any. */
  readonly fault?: string | undefined;
  /** The nodes are full from the start. */
  readonly isCrowded?: boolean;
}

/** Plays one world from its seed to its end, and judges it. @throws there is no such fault */
export async function runSeed(
  seed: number,
  trouble: Trouble = { isStorm: false },
): Promise<Outcome> {
  const world = new World(seed);
  const play = new Play(world, trouble);
  await world.start();
  await play.prepare();
  for (let i = 0; i < WATCHERS; i++) world.watch(oneOf(play.random, watchedParts));
  await world.drive(play.run());
  await play.heal();
  const problems = [...(await restProblems(world))];
  if (problems.length === 0 && play.random.integer(CLEARED_ONE_OF) === 0) {
    await play.clear();
    problems.push(...(await restProblems(world)));
  }
  return {
    seed,
    hash: world.trace.hash,
    problems,
    trace: world.trace.lines,
    changes: world.log.changes,
    steps: play.steps,
    faults: play.faults,
    preempted: world.log.changes.filter(isPreemption).length,
    virtualMs: world.clock.monotonic(),
  };
}

/** What users do and what goes wrong meanwhile. */
class Play {
  readonly random: Random;
  steps = 0;
  faults = 0;
  readonly #world: World;
  readonly #isStorm: boolean;
  readonly #isCrowded: boolean;
  readonly #faults: readonly Fault[];
  #deeds: readonly Step[] = [];
  #marks = 0;
  /** How much slower than others users are, and troubles rarer. */
  #pace = 1;
  /** What ends the faults that still last. */
  readonly #lasting = new Set<() => void>();

  constructor(world: World, { isStorm, fault, isCrowded = false }: Trouble) {
    this.#world = world;
    this.#isStorm = isStorm;
    this.#faults = allFaults.filter(({ name }) => fault === undefined || name === fault);
    if (this.#faults.length === 0) throw new Error(`there is no fault "${fault}"`);
    this.random = world.fork();
    this.#isCrowded = this.random.integer(CROWDED_ONE_OF) === 0 || isCrowded;
  }

  /** What the cluster's owner makes before users come. */
  async prepare(): Promise<void> {
    const world = this.#world;
    const owner = world.user(9);
    await world.drive(makePriorityClasses(owner, world.clock));
    if (this.random.integer(2) === 0) await world.drive(makeNamespaces(owner, world.clock));
    if (this.#isCrowded) {
      const cpus = world.nodes.reduce((sum, node) => sum + node.cpus, 0);
      await world.drive(gather(owner, world.clock, cpus));
      const isFull = (): boolean => world.log.present("pods").filter(isBound).length >= cpus;
      await world.until(isFull, CROWD_MS_MAX);
    }
    void provision(world.user(8), world.clock, (resource) => world.log.present(resource));
  }

  /** Resolves when users have done what they wanted and faults have begun; some may last. */
  async run(): Promise<void> {
    this.#deeds = stepsOf(this.random);
    const users = 1 + this.random.integer(USERS_MAX);
    const steps = STEPS_MIN + this.random.integer(STEPS_MAX - STEPS_MIN);
    const isStorm = this.random.integer(STORM_ONE_OF) === 0 || this.#isStorm;
    if (this.random.integer(LONG_ONE_OF) === 0) this.#pace = LONG_PACE;
    const faults = this.random.integer((isStorm ? STORM_FAULTS_MAX : FAULTS_MAX) + 1);
    await Promise.all([
      ...Array.from({ length: users }, (_, i) => this.#use(i + 1, Math.ceil(steps / users))),
      ...Array.from({ length: faults }, () => this.#trouble()),
      ...(this.#isCrowded ? [this.#pushIn()] : []),
    ]);
  }

  #pushIn(): Promise<void> {
    const { clock } = this.#world;
    return pushIn(this.#world.user(7), clock, this.#world.fork(), TROUBLE_MS);
  }

  /** Ends all that is wrong, and lets go what users hold. */
  async heal(): Promise<void> {
    const world = this.#world;
    world.trace.add("heal");
    for (const end of this.#lasting) end();
    this.#lasting.clear();
    world.heal();
    await world.drive(
      tidyUp(world.user(9), world.clock, (resource) => world.log.present(resource)),
    );
  }

  /** Users delete everything. */
  async clear(): Promise<void> {
    const world = this.#world;
    world.trace.add("clear");
    await world.drive(clearAway(this.#scene(9, world.fork()), world.clock));
    world.isCleared = true;
  }

  #scene(number: number, random: Random): Scene {
    const present: Scene["present"] = (resource) => this.#world.log.present(resource);
    return new Scene(this.#world.user(number), random, present, () => `w${++this.#marks}`);
  }

  async #use(number: number, steps: number): Promise<void> {
    const { clock, trace } = this.#world;
    const random = this.#world.fork();
    const scene = this.#scene(number, random);
    for (let i = 0; i < steps; i++) {
      const pauseMs = random.integer(PAUSE_MS_MAX) * this.#pace;
      await sleep(clock, random.integer(4) === 0 ? 0 : pauseMs);
      const step = weighted(random, this.#deeds);
      trace.add(`user-${number}: ${step.name}`);
      this.steps++;
      await step.run(scene).catch((error: Error) => trace.add(`user-${number}: ${error.message}`));
    }
  }

  async #trouble(): Promise<void> {
    const { clock, trace } = this.#world;
    const random = this.#world.fork();
    await sleep(clock, random.integer(TROUBLE_MS) * this.#pace);
    const fault = weighted(random, this.#faults);
    const end = fault.begin(this.#world, random);
    if (!end) return;
    this.faults++;
    trace.add(`fault: ${fault.name}`);
    const once = (): void => {
      if (!this.#lasting.delete(once)) return;
      trace.add(`fault over: ${fault.name}`);
      end();
    };
    this.#lasting.add(once);
    const lastsMs = 1 + random.integer(Math.max(1, fault.lastsMsMax));
    clock.after(lastsMs, once);
    // Long ones are cut short by the end of the play.
    await sleep(clock, Math.min(lastsMs, TROUBLE_MS));
  }
}

/** Lets the world come to rest. @returns what is wrong with it then, or was before */
async function restProblems(world: World): Promise<readonly string[]> {
  const begin = world.clock.monotonic();
  for (;;) {
    await world.until(() => false, LOOK_MS);
    const now = world.clock.monotonic();
    const quietMs = now - (world.log.changes.at(-1)?.atMs ?? 0);
    const isLate = now - begin > REST_MS_MAX;
    if (quietMs < QUIET_MS && !isLate) continue;
    const history = await world.history();
    const open = judged((checker) => checker.checkAtRest?.(history));
    if (open.length > 0 && !isLate) continue;
    return [...judged((checker) => checker.check?.(history)), ...open];
  }
}

function judged(ask: (checker: Checker) => readonly string[] | undefined): readonly string[] {
  return allCheckers.flatMap((checker) =>
    (ask(checker) ?? []).map((problem) => `${checker.name}: ${problem}`),
  );
}

function isBound({ spec }: V1Pod): boolean {
  return spec?.nodeName !== undefined;
}

function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

function weighted<T extends { readonly weight: number }>(random: Random, rows: readonly T[]): T {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.integer(total);
  return rows.find(({ weight }) => (at -= weight) < 0)!;
}
