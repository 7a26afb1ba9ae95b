import type { ApiRequest } from "../../../src/apiserver/request.ts";
import type { ApiResponse } from "../../../src/apiserver/api-response.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { HttpCaller } from "../../../src/client/http-transport.ts";
import type { HttpRequest, HttpResponse } from "../../../src/wire/http-client/http-client.ts";
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
 * objects nobody told them that they made them.
 */
export class LoopCalls {
  /** Uids of what was created for a loop that did not hear of it. */
  readonly unheard = new Set<string>();
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
        if (isCreation(request.method, response.status)) {
          const { metadata } = JSON.parse((await response.bytes()).toString()) as KubeObject;
          this.unheard.delete(metadata?.uid ?? "");
        }
        return response;
      },
    };
  }

  /** The server has carried out a call. */
  served({ method }: ApiRequest, { status, body }: ApiResponse): void {
    if (!isCreation(method, status) || !Buffer.isBuffer(body)) return;
    const { metadata } = JSON.parse(body.toString()) as KubeObject;
    if (metadata?.uid !== undefined) this.unheard.add(metadata.uid);
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

function isCreation(method: string, status: HttpResponse["status"]): boolean {
  return method === "POST" && status === 201;
}
