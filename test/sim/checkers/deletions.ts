import type { V1Pod } from "../../../src/gen/types.ts";
import type { Change, History } from "../world/history.ts";
import { isEnding } from "./replica-sets.ts";

/** Tells which Pods a controller has told to end, of its own will. */
export class Deletions {
  readonly #revisions: ReadonlySet<number>;
  /** Paths of deletions that were never answered: they may have been carried out. */
  readonly #unanswered: ReadonlySet<string>;

  constructor({ writes }: History) {
    const deletes = writes.filter(({ method }) => method === "DELETE");
    this.#revisions = new Set(deletes.flatMap(({ answer }) => (answer ? [answer.revision] : [])));
    this.#unanswered = new Set(deletes.filter(({ answer }) => !answer).map(({ path }) => path));
  }

  /** The Pod begins to end with this change, and neither a user wants that nor an eviction. */
  isControllers({ resource, key, revision, old, object }: Change): boolean {
    if (resource !== "pods" || !old || isEnding(old) || (object && !isEnding(object))) return false;
    const [namespace, name] = key.split("/");
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const isUsers = this.#revisions.has(revision) || this.#unanswered.has(path);
    return !isUsers && disruptionOf((object ?? old) as V1Pod) === undefined;
  }
}

/** Why a Pod was disrupted, by whoever did. */
export function disruptionOf({ status }: V1Pod): string | undefined {
  const found = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  return found?.status === "True" ? found.reason : undefined;
}
