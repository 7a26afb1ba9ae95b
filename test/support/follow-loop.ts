import type { Cache } from "../../src/client/cache.ts";
import type { PlannedWrite } from "../../src/reconciler/controller.ts";
import type { Decision, Loop } from "../../src/reconciler/runner.ts";
import { StaticCache } from "./static-cache.ts";

/** A controller's loop over a cache whose objects a test puts in by hand. */
export interface FollowedLoop {
  readonly cache: StaticCache;
  /** Keys since the last question, each once, in order. */
  woken(): string;
  wokenKeys(): readonly string[];
  decide(key: string): Decision | undefined;
  writes(key: string): readonly PlannedWrite[];
  /** How many objects of the cache an action looks at. */
  reads(action: () => unknown): number;
}

export function followLoop(loopOf: (cache: Cache) => Loop): FollowedLoop {
  const cache = new StaticCache();
  const loop = loopOf(cache as unknown as Cache);
  const keys: string[] = [];
  loop.begin?.((key) => keys.push(key));
  for (const kind of loop.kinds.current())
    cache.onChange(kind, (change) => keys.push(...loop.keysOf(change)));
  const decide = (key: string): Decision | undefined => loop.decide(key, 0);
  const wokenKeys = (): readonly string[] => [...new Set(keys.splice(0))].sort();
  return {
    cache,
    woken: () => wokenKeys().join(", "),
    wokenKeys,
    decide,
    writes: (key) => decide(key)?.plan.writes ?? [],
    reads(action) {
      const before = cache.reads;
      action();
      return cache.reads - before;
    },
  };
}
