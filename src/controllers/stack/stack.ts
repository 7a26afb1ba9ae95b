import { DaemonSet } from "../../api/apps/daemon-set.ts";
import { Deployment } from "../../api/apps/deployment.ts";
import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { Stack } from "../../api/compose/stack.ts";
import { Service } from "../../api/core/service.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../../api/machinery/object.ts";
import type { CacheReader } from "../../client/cache.ts";
import { defineController, type Plan, type Trigger } from "../../reconciler/controller.ts";
import {
  controllerOf,
  isBeingDeleted,
  isControlledBy,
  ownersOf,
} from "../../reconciler/ownership.ts";
import { changesOf } from "./changes.ts";
import { statusOf, statusOfFailure, statusOfTaken, type Taken } from "./status.ts";
import { partName, wantedParts, type Part } from "./wanted.ts";

/** What a stack is made of. */
const KINDS: readonly Kind<KubeObject & { readonly spec?: object }>[] = [
  Service as Kind,
  DaemonSet as Kind,
  StatefulSet as Kind,
  Deployment as Kind,
];

/**
 * `owned`: what the stack's uid controls. `namesakes`: others' objects with the names of wanted parts. `stacks`: uid → name of
 * every stack of the namespace.
 */
export interface Observed {
  readonly stack: Stack;
  readonly owned: readonly Part[];
  readonly namesakes: readonly Part[];
  readonly stacks: ReadonlyMap<string, string>;
}

/**
 * Keeps the workloads and Services that a Stack asks for. What the stack says wins over changes by hand.
 *
 * @invariant only objects that the stack's uid controls are changed or deleted.
 * @spec compose-on-kubernetes internal/controller stackreconciler.go
 */
export const stackController = defineController<Stack, Observed>({
  name: "stack-controller",
  primary: Stack,
  triggers: KINDS.flatMap((kind) => [ownersOf(kind, Stack), namesakesOf(kind)]),
  observe,
  plan,
});

/** Somebody else's object that comes or goes concerns the stacks that want one of its name. */
function namesakesOf(kind: Kind): Trigger {
  return {
    kind,
    keys: ({ old, object, key }, cache) => {
      if (old && object) return [];
      const stacks = cache.list(Stack, { namespace: key.namespace });
      const isWanted = (stack: Stack): boolean =>
        wantedParts(stack).some(
          (part) => part.kind === kind && keyOf(part.object).name === key.name,
        );
      return stacks.filter(isWanted).map(keyOf);
    },
  };
}

function observe(cache: CacheReader, key: ObjectKey): Observed | undefined {
  const stack = cache.get(Stack, key);
  const uid = stack?.metadata?.uid;
  if (!stack || uid === undefined) return undefined;
  const { namespace } = key;
  const owned = KINDS.flatMap((kind) =>
    cache
      .list(kind, { namespace, controllerUid: uid })
      .filter((object) => isControlledBy(object, stack))
      .map((object) => ({ kind, object })),
  );
  const namesakes = wantedParts(stack).flatMap(({ kind, object: wanted }): readonly Part[] => {
    const object = cache.get(kind, keyOf(wanted));
    return object && !isControlledBy(object, stack) ? [{ kind, object }] : [];
  });
  const all = cache.list(Stack, { namespace });
  const stacks = new Map(all.map(({ metadata }) => [metadata?.uid ?? "", metadata?.name ?? ""]));
  return { stack, owned, namesakes, stacks };
}

/** Pure; see {@link stackController}. */
export function plan({ stack, owned, namesakes, stacks }: Observed): Plan {
  if (isBeingDeleted(stack)) return {};
  const wanted = wantedParts(stack);
  const taken = namesakes.flatMap((part) => takenBy(part, stacks));
  if (taken.length > 0) return { status: statusOfTaken(taken) };
  return {
    writes: changesOf(wanted, owned, new Set(namesakes.map(partName))),
    status: statusOf(wanted, owned),
    statusOnFailure: statusOfFailure,
  };
}

/** Nothing, where the object will go by itself: it is being deleted, or what is left of a stack that has gone. */
function takenBy(part: Part, stacks: ReadonlyMap<string, string>): readonly Taken[] {
  const owner = controllerOf(part.object);
  if (isBeingDeleted(part.object)) return [];
  if (owner?.kind !== Stack.kind || !owner.apiVersion.startsWith(`${Stack.group}/`))
    return [{ part }];
  const stack = stacks.get(owner.uid);
  return stack === undefined ? [] : [{ part, stack }];
}
