import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { parse } from "yaml";

/** How long one question may take, in ms: a server that is just starting answers in a few ms, or not at all. */
const QUESTION_MS_MAX = 2_000;

/** What the API server said. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks a cluster's API server single questions, with the administrator's certificate. For waiting, not for work. */
export class ApiProbe {
  readonly #server: URL;
  readonly #agent: Agent;

  /** `kubeconfig`: path of a file with embedded certificates. @throws {Error} missing or damaged. */
  constructor(kubeconfig: string) {
    const config = parse(readFileSync(kubeconfig, "utf8")) as {
      clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
      users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
    };
    const pem = (base64: string): Buffer => Buffer.from(base64, "base64");
    const { cluster } = config.clusters[0]!;
    const { user } = config.users[0]!;
    this.#server = new URL(cluster.server);
    this.#agent = new Agent({
      keepAlive: true,
      ca: pem(cluster["certificate-authority-data"]),
      cert: pem(user["client-certificate-data"]),
      key: pem(user["client-key-data"]),
    });
  }

  /** The answer's status and body; `undefined` when nobody answered. */
  get(path: string): Promise<Answer | undefined> {
    return this.#ask("GET", path, undefined);
  }

  /** Creates an object; as {@link get}. */
  post(path: string, object: object): Promise<Answer | undefined> {
    return this.#ask("POST", path, JSON.stringify(object));
  }

  #ask(method: string, path: string, body: string | undefined): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const question = request(
        {
          method,
          host: this.#server.hostname,
          port: this.#server.port,
          path,
          agent: this.#agent,
          timeout: QUESTION_MS_MAX,
          ...(body === undefined ? {} : { headers: { "content-type": "application/json" } }),
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", () => resolve(undefined));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
          );
        },
      );
      question.on("timeout", () => question.destroy());
      question.on("error", () => resolve(undefined));
      question.end(body);
    });
  }

  /** True when `/readyz` says ok. */
  async isReady(): Promise<boolean> {
    return (await this.get("/readyz"))?.status === 200;
  }

  /** True when the node's condition Ready is True: its network and DNS are up then, too. */
  async isNodeReady(name: string): Promise<boolean> {
    const answer = await this.get(`/api/v1/nodes/${encodeURIComponent(name)}`);
    if (answer?.status !== 200) return false;
    const node = JSON.parse(answer.body) as {
      status?: { conditions?: { type: string; status: string }[] };
    };
    return node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.get(path))?.status === 200;
  }

  close(): void {
    this.#agent.destroy();
  }
}
