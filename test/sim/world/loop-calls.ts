import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { HttpCaller } from "../../../src/client/http-transport.ts";
import type { HttpRequest } from "../../../src/wire/http-client/http-client.ts";
import type { SimProcess } from "./sim-process.ts";

/** An end that waits for a process: at its next write but so many. */
interface Doom {
  writesLeft: number;
  /** The write that it dies of still leaves; nobody hears the answer. */
  readonly isSent: boolean;
  readonly onEnd: () => void;
}

/**
 * What control loops that run apart ask of the server: they can be killed between any two writes, and it is known of which
 * objects they were told that they have made them.
 */
export class LoopCalls {
  /** Uids of what loops created and heard of. */
  readonly heard = new Set<string>();
  readonly #dooms = new Map<string, Doom>();

  /** The process called `name` ends with its next write but `writesLeft`. */
  doom(name: string, doom: Doom): void {
    this.#dooms.set(name, doom);
  }

  /** It does not. */
  spare(name: string): void {
    this.#dooms.delete(name);
  }

  /** The calls of `process`, which `http` carries. */
  of(process: SimProcess, http: HttpCaller): HttpCaller {
    return {
      request: async (request) => {
        if (request.method !== "GET") this.#meetDoom(process, http, request);
        const response = await process.living(http.request(request));
        if (request.method === "POST" && response.status === 201) {
          const { metadata } = JSON.parse((await response.bytes()).toString()) as KubeObject;
          this.heard.add(metadata?.uid ?? "");
        }
        return response;
      },
    };
  }

  #meetDoom(process: SimProcess, http: HttpCaller, request: HttpRequest): void {
    const doom = this.#dooms.get(process.name);
    if (!doom || doom.writesLeft-- > 0) return;
    this.#dooms.delete(process.name);
    if (doom.isSent) http.request(request).catch(() => {});
    process.kill();
    doom.onEnd();
  }
}
