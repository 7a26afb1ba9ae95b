import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { MARK, type Change, type History, type WriteCall } from "../world/history.ts";
import type { Checker } from "./checker.ts";

/**
 * No write is lost and none comes back: what was acknowledged is on the disk at the revision that was told, what was
 * refused is nowhere, and what has ended stays ended.
 */
export const writes: Checker = {
  name: "writes",
  check: (history) => [
    ...history.lost.map((entry) => `acknowledged, and not on the disk: ${entry}`),
    ...history.writes.flatMap((call) => broken(call, history)),
    ...refused(history),
    ...resurrected(history.changes),
  ],
};

/** `/api/v1/namespaces/a/pods/p` → `pods`, `/apis/apps/v1/namespaces/a/deployments` → `apps/deployments` */
export function resourceOf(path: string): string {
  const words = path.split("/").slice(1);
  const group = words.shift() === "api" ? "" : `${words.shift()}/`;
  words.shift();
  const isNamespaced = words[0] === "namespaces" && words.length > 2;
  return group + words[isNamespaced ? 2 : 0]!;
}

function isDone({ answer }: WriteCall): boolean {
  return answer !== undefined && answer.status < 300;
}

/** Said with certainty that nothing was written. */
function isRefused({ answer }: WriteCall): boolean {
  const status = answer?.status ?? 0;
  return (status >= 400 && status < 500) || status === 507;
}

function markOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata?.annotations?.[MARK];
}

/** What is wrong with a write that was acknowledged. */
function broken(call: WriteCall, { changes }: History): readonly string[] {
  const { answer, method, path, mark } = call;
  if (!answer || !isDone(call) || answer.revision === 0) return [];
  const at = changes.filter(({ revision }) => revision === answer.revision);
  const what = `${method} ${path} ${mark ?? ""} was acknowledged at ${answer.revision}`;
  if (method === "DELETE") {
    const own = at.find(({ old, object }) => uidOf(object ?? old) === answer.uid);
    const isEnding = own && (!own.object || own.object.metadata?.deletionTimestamp !== undefined);
    return isEnding ? [] : [`${what}, and what it deleted is not ending there`];
  }
  if (mark === undefined) return [];
  const isThere = at.some(({ object }) => uidOf(object) === answer.uid && markOf(object) === mark);
  // Who takes the last finalizer off ends the object.
  const hasEnded = at.some(({ old, object }) => uidOf(old) === answer.uid && !object);
  return isThere || hasEnded ? [] : [`${what}, and is not there`];
}

function uidOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata?.uid;
}

/** Marks that came to be more often than their writes allow. */
function refused({ writes: calls, changes }: History): readonly string[] {
  const byMark = new Map<string, WriteCall[]>();
  for (const call of calls)
    if (call.mark !== undefined) byMark.set(call.mark, [...(byMark.get(call.mark) ?? []), call]);
  const made = new Map<string, number>();
  for (const { object, old, resource } of changes) {
    const mark = markOf(object);
    if (mark === undefined || mark === markOf(old)) continue;
    const own = byMark.get(mark)?.[0];
    // A controller may copy annotations from its object to another.
    if (own && resourceOf(own.path) === resource) made.set(mark, (made.get(mark) ?? 0) + 1);
  }
  return [...byMark].flatMap(([mark, own]) => {
    const count = made.get(mark) ?? 0;
    const allowed = own.filter((call) => !isRefused(call)).length;
    const { method, path } = own[0]!;
    return count > allowed
      ? [`${method} ${path} ${mark} was written ${count} times, and ${allowed} were not refused`]
      : [];
  });
}

/** Objects that came back after their end, ends that were taken back, and uids that two objects have. */
function resurrected(changes: readonly Change[]): readonly string[] {
  const ended = new Set<string>();
  const owners = new Map<string, string>();
  return changes.flatMap(({ revision, resource, key, old, object }) => {
    const problems: string[] = [];
    const say = (what: string): void =>
      void problems.push(`${resource} ${key} ${revision}: ${what}`);
    const [before, now] = [uidOf(old), uidOf(object)];
    if (before !== undefined && now !== before) {
      if (now !== undefined) say("it was replaced by another without having ended");
      ended.add(before);
    }
    if (now !== undefined && ended.has(now)) say("it is there again");
    const wasEnding = old?.metadata?.deletionTimestamp !== undefined && now === before;
    if (wasEnding && object && object.metadata?.deletionTimestamp === undefined)
      say("its deletion was taken back");
    const place = `${resource} ${key}`;
    if (now !== undefined && owners.has(now) && owners.get(now) !== place)
      say(`its uid is that of ${owners.get(now)}`);
    if (now !== undefined) owners.set(now, place);
    return problems;
  });
}
