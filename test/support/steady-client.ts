import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** Requests under way at once. */
const LANES = 4;
/** Between two requests of a lane, in ms: some hundred requests a second are more than a switch can hide from. */
const PAUSE_MS = 10;
/** So many answers in a row are more than are under way at once. */
const SETTLED_ANSWERS = 5 * LANES;
/** An answer that takes longer is none. */
const ANSWER_MS_MAX = 5000;

/** What came of the requests of one client. */
export interface Served {
  /** Bodies, in the order of their end. */
  readonly answers: readonly string[];
  readonly failures: readonly string[];
}

/** Asks one address without pause, each time by a new connection, and remembers what it was answered. */
export class SteadyClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: false });
  readonly #answers: string[] = [];
  readonly #failures: string[] = [];
  #lanes: Promise<void>[] = [];
  #isRunning = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Answers so far. */
  get count(): number {
    return this.#answers.length;
  }

  /** True when nobody has been answered anything else for a while: requests that were under way have ended. */
  isSettledOn(answer: string): boolean {
    const latest = this.#answers.slice(-SETTLED_ANSWERS);
    return latest.length === SETTLED_ANSWERS && latest.every((one) => one === answer);
  }

  /** One request that counts for nothing. */
  ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(this.#url, { agent: this.#agent, timeout: ANSWER_MS_MAX }, (response) => {
        let text = "";
        response.on("data", (part: Buffer) => (text += part.toString()));
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve(text.trim());
          else reject(new Error(`${response.statusCode}: ${text}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }

  start(): void {
    this.#isRunning = true;
    this.#lanes = Array.from({ length: LANES }, () => this.#lane());
  }

  async stop(): Promise<Served> {
    this.#isRunning = false;
    await Promise.all(this.#lanes);
    return { answers: this.#answers, failures: this.#failures };
  }

  async #lane(): Promise<void> {
    while (this.#isRunning) {
      try {
        this.#answers.push(await this.ask());
      } catch (error) {
        this.#failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
      await delay(PAUSE_MS);
    }
  }
}
