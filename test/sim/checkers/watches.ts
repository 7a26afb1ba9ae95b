import type { Change, History, WatchRecord, WatchRun } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * Watches are gapless, ordered, unique and resumable: from its list on, a watcher was told of exactly the changes of its
 * part, each once and in order, however often the watch broke. At rest it has been told of all of them.
 */
export const watches: Checker = {
  name: "watches",
  check: (history) => history.watches.flatMap((run) => judge(run, history)),
  checkAtRest: (history) =>
    history.watches.filter(({ isOver }) => !isOver).flatMap((run) => missing(run, history)),
};

function judge(run: WatchRun, { changes }: History): readonly string[] {
  const own = changes.filter(({ resource }) => resource === run.resource);
  const where = `${run.watcher} from ${run.listRevision}`;
  const told = run.events.filter(({ type }) => type !== "BOOKMARK").map(told_);
  const last = Math.max(run.listRevision, ...run.events.map(({ revision }) => revision));
  const due = expected(run, own).filter(({ revision }) => revision <= last);
  const dueTexts = due.map(({ text }) => text);
  const at = told.findIndex((text, index) => text !== dueTexts[index]);
  return [
    ...listProblems(run, own).map((problem) => `${where}: ${problem}`),
    ...orderProblems(run).map((problem) => `${where}: ${problem}`),
    ...(at >= 0 ? [`${where}: event ${at} is ${told[at]}, due was ${dueTexts[at]}`] : []),
    ...(at < 0 && told.length < due.length
      ? [`${where}: at ${last} it was never told ${dueTexts[told.length]}`]
      : []),
  ];
}

function told_({ type, revision, object }: WatchRecord): string {
  return `${type} ${object && keyOf(object)} ${revision} ${contentOf(type, object)}`;
}

/** The whole object where it is the change's own; of an end only who it was. */
function contentOf(type: string, object: object | undefined): string {
  if (type !== "DELETED") return JSON.stringify(object);
  return (object as { metadata?: { uid?: string } } | undefined)?.metadata?.uid ?? "";
}

interface Due {
  readonly revision: number;
  readonly text: string;
}

/** What a watcher of `run`'s part must be told after its list. */
function expected({ selects, listRevision }: WatchRun, own: readonly Change[]): readonly Due[] {
  return own.flatMap(({ revision, key, old, object }) => {
    if (revision <= listRevision) return [];
    const was = old !== undefined && selects(old);
    const is = object !== undefined && selects(object);
    if (!was && !is) return [];
    const type = is ? (was ? "MODIFIED" : "ADDED") : "DELETED";
    const text = `${type} ${key} ${revision} ${contentOf(type, is ? object : old)}`;
    return [{ revision, text }];
  });
}

function listProblems(run: WatchRun, own: readonly Change[]): readonly string[] {
  const { resource, listRevision, items, selects } = run;
  const state = WorldState.after(own.filter(({ revision }) => revision <= listRevision));
  const name = (object: { metadata?: { resourceVersion?: string } }): string =>
    `${keyOf(object as never)}@${object.metadata?.resourceVersion}`;
  const due = state.list(resource).filter(selects).map(name).sort().join(" ");
  const got = items.map(name).sort().join(" ");
  return due === got ? [] : [`the list has ${got || "nothing"}, due was ${due || "nothing"}`];
}

/** A bookmark says that everything up to it was told; so does every event. */
function orderProblems({ events, listRevision }: WatchRun): readonly string[] {
  let before = listRevision;
  return events.flatMap(({ type, revision }) => {
    const isBack = type === "BOOKMARK" ? revision < before : revision <= before;
    const problem = isBack ? [`${type} ${revision} came after ${before}`] : [];
    before = Math.max(before, revision);
    return problem;
  });
}

function missing(run: WatchRun, { changes }: History): readonly string[] {
  const own = changes.filter(({ resource }) => resource === run.resource);
  const told = run.events.filter(({ type }) => type !== "BOOKMARK").length;
  const next = expected(run, own)[told];
  return next ? [`${run.watcher} was never told ${next.text.slice(0, 80)}`] : [];
}
