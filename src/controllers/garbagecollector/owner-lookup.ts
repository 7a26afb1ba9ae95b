import { sleep, type Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/machinery/object.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import type { Client } from "../../client/client.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { FOREGROUND, ownerGroup, type Item } from "./graph.ts";
import type { OwnerState } from "./decide.ts";

/** Before a question that failed is asked again. Doubling delays collection after an outage. */
const RETRY_MS = 1000;
/** Answers kept. An answer is used once, moments later; doubling costs only memory. */
const ANSWERS_MAX = 10_000;

/**
 * Asks the server for owners that the graph does not know: only the server can say that something does not exist.
 *
 * `state` answers at once with what is known, and asks where nothing is; the answer makes the item come again.
 * "gone" stays true (a uid never comes back); other answers are used once.
 * @spec k8s@1.36 garbagecollector.go isDangling
 */
export class OwnerLookup {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kinds: () => readonly Kind[];
  readonly #answers = new Map<string, OwnerState>();
  /** Who waits for the answer, by question: dependents of one owner ask the same. */
  readonly #asking = new Map<string, Set<string>>();
  readonly #undecided = new Set<string>();
  #enqueue: (uid: string) => void = () => {};

  constructor(client: Client, clock: Clock, logger: Logger, kinds: () => readonly Kind[]) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
    this.#kinds = kinds;
  }

  begin(enqueue: (uid: string) => void): void {
    this.#enqueue = enqueue;
  }

  /** Items whose owner's kind was not served come again. */
  kindsChanged(): void {
    for (const uid of this.#undecided) this.#enqueue(uid);
    this.#undecided.clear();
  }

  state(item: Item, reference: OwnerReference): OwnerState {
    const kind = this.#kindOf(reference);
    if (!kind) {
      this.#undecided.add(item.uid);
      return "unknown";
    }
    if (kind.isNamespaced && item.key.namespace === "") return "misplaced";
    const namespace = kind.isNamespaced ? item.key.namespace : "";
    const question = JSON.stringify([
      kind.group,
      kind.kind,
      namespace,
      reference.name,
      reference.uid,
    ]);
    const answer = this.#answers.get(question);
    if (answer !== undefined) {
      if (answer !== "gone") this.#answers.delete(question);
      return answer;
    }
    const asking = this.#asking.get(question);
    if (asking) asking.add(item.uid);
    else {
      this.#asking.set(question, new Set([item.uid]));
      void this.#ask(question, kind, namespace, reference);
    }
    return "unknown";
  }

  /** Any served version of the kind will do. */
  #kindOf(reference: OwnerReference): Kind | undefined {
    const group = ownerGroup(reference);
    return this.#kinds().find((served) => served.kind === reference.kind && served.group === group);
  }

  async #ask(
    question: string,
    kind: Kind,
    namespace: string,
    { name, uid }: OwnerReference,
  ): Promise<void> {
    try {
      const owner = await this.#client.get(kind, { namespace, name });
      this.#answer(question, owner.metadata?.uid === uid ? stateOf(owner) : "gone");
    } catch (error) {
      if (isStatusError(error, "NotFound")) this.#answer(question, "gone");
      else {
        this.#logger.info("an owner could not be looked up", {
          owner: question,
          error: String(error),
        });
        await sleep(this.#clock, RETRY_MS);
      }
    }
    const waiting = this.#asking.get(question) ?? [];
    this.#asking.delete(question);
    for (const one of waiting) this.#enqueue(one);
  }

  #answer(question: string, state: OwnerState): void {
    this.#answers.set(question, state);
    if (this.#answers.size <= ANSWERS_MAX) return;
    const [oldest] = this.#answers.keys();
    this.#answers.delete(oldest!);
  }
}

function stateOf(owner: KubeObject): OwnerState {
  const isWaiting = isBeingDeleted(owner) && owner.metadata?.finalizers?.includes(FOREGROUND);
  return isWaiting ? "waiting" : "solid";
}
