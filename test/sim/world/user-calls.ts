import type { ApiResponse } from "../../../src/apiserver/api-response.ts";
import type { ApiRequest } from "../../../src/apiserver/request.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { Status } from "../../../src/api/machinery/status-error.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { MARK, type ReadCall, type WriteCall } from "./history.ts";
import type { SimServer } from "./sim-server.ts";

const MARK_PATTERN = new RegExp(`"${MARK.replaceAll(".", "\\.")}":"(\\w+)"`);

/** Stands at the server's door and writes down what users ask and what they are answered. */
export class UserCalls {
  readonly writes: WriteCall[] = [];
  readonly reads: ReadCall[] = [];
  readonly #clock: Clock;
  readonly #server: SimServer;
  readonly #note: (line: string) => void;
  /** The newest revision that anybody was told. */
  #known = 0;

  constructor(clock: Clock, server: SimServer, note: (line: string) => void) {
    this.#clock = clock;
    this.#server = server;
    this.#note = note;
  }

  async handle(request: ApiRequest, party: string): Promise<ApiResponse> {
    const isRead = request.method === "GET";
    return isRead ? this.#read(request, party) : this.#write(request, party);
  }

  async #read(request: ApiRequest, party: string): Promise<ApiResponse> {
    const knownRevision = this.#known;
    const response = await this.#server.handle(request);
    const { status } = response;
    const { path } = request;
    const object = status === 200 ? (documentOf(response) as KubeObject | undefined) : undefined;
    const newestRevision = this.#server.revision;
    if (status === 200 || status === 404)
      this.reads.push({
        ...{ party, path, knownRevision, newestRevision, status },
        ...(object && { object }),
      });
    return response;
  }

  async #write(request: ApiRequest, party: string): Promise<ApiResponse> {
    const { method, path } = request;
    const mark = MARK_PATTERN.exec((await request.body()).toString())?.[1];
    const atMs = this.#clock.monotonic();
    const call: WriteCall = { party, method, path, atMs, ...(mark !== undefined && { mark }) };
    this.writes.push(call);
    const response = await this.#server.handle(request);
    const { metadata, reason, details } = (documentOf(response) ?? {}) as KubeObject &
      Partial<Status>;
    const revision = Number(metadata?.resourceVersion ?? 0);
    const { status } = response;
    if (status >= 200 && status < 300) this.#known = Math.max(this.#known, revision);
    call.answer = {
      status,
      revision,
      reason: status < 300 ? "" : (reason ?? ""),
      uid: metadata?.uid ?? details?.uid ?? "",
    };
    const outcome = status < 300 ? String(revision) : call.answer.reason;
    this.#note(`${party} ${method} ${path} ${mark ?? ""} ${status} ${outcome}`);
    return response;
  }
}

function documentOf({ body }: ApiResponse): object | undefined {
  return Buffer.isBuffer(body) ? (JSON.parse(body.toString()) as object) : undefined;
}
