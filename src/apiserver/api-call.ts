import { nextTurn } from "../base/next-turn.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Resource } from "../api/machinery/resource.ts";
import type { FieldValidation } from "../api/machinery/write-options.ts";
import type { AdmissionCall, RequestInfo, ResourceCall, UserInfo } from "./request.ts";
import type { ServedResource } from "./resource-table.ts";

/** What a write may ask for besides its object. */
export interface WriteFlags {
  readonly isDryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Of an apply: take fields over from other managers. */
  readonly isForced?: boolean;
}

/** Of a read, or of a caller that trusts its own objects. */
export const NO_FLAGS: WriteFlags = {
  isDryRun: false,
  fieldManager: "",
  fieldValidation: "Ignore",
};

/** Most warnings of one answer, and most characters of each: headers have a limit. @spec apiserver warning.go */
const WARNINGS_MAX = 32;
const WARNING_CHARACTERS_MAX = 1024;

/** Bytes of a body that a server gets through in some 10 ms. */
const LARGE_BODY_BYTES = 256 * 1024;

/** One authenticated and authorized call on a served resource, whatever transport it came by. */
export class ApiCall implements ResourceCall {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** What the verbs work on. */
  readonly served: ServedResource;
  /** The apiVersion that the client speaks: `served`, or an older version of it. */
  readonly face: ServedResource;
  readonly flags: WriteFlags;
  readonly #signal: () => AbortSignal;
  #warnings: string[] | undefined;
  #isLarge = false;

  /** `signal`: a function, because making one costs more than most requests, and few ask. */
  constructor(
    info: RequestInfo,
    user: UserInfo,
    face: ServedResource,
    flags: WriteFlags,
    signal: () => AbortSignal,
  ) {
    this.info = info;
    this.user = user;
    this.face = face;
    this.served = face.hub;
    this.flags = flags;
    this.#signal = signal;
  }

  get resource(): Resource {
    return this.served.resource;
  }

  get kind(): Kind {
    return this.served.kind;
  }

  get isDryRun(): boolean {
    return this.flags.isDryRun;
  }

  get signal(): AbortSignal {
    return this.#signal();
  }

  get warnings(): readonly string[] {
    return this.#warnings ?? [];
  }

  /** The body of the request, where it is one that takes long: its stages are not done all in one turn of the loop. */
  measure(body: Buffer): Buffer {
    this.#isLarge ||= body.length > LARGE_BODY_BYTES;
    return body;
  }

  /** Between two stages: lets others have their turn. `undefined`: no need to. */
  pause(): Promise<void> | undefined {
    return this.#isLarge ? nextTurn() : undefined;
  }

  warn(text: string): void {
    this.#warnings ??= [];
    const cut = text.slice(0, WARNING_CHARACTERS_MAX);
    if (this.#warnings.length < WARNINGS_MAX && !this.#warnings.includes(cut))
      this.#warnings.push(cut);
  }

  /** The same caller about another resource or name: a subresource that writes something else. */
  about(served: ServedResource, info: Partial<RequestInfo>): ApiCall {
    const call = new ApiCall(
      { ...this.info, ...info },
      this.user,
      served,
      this.flags,
      this.#signal,
    );
    call.#warnings = this.#warnings ??= [];
    call.#isLarge = this.#isLarge;
    return call;
  }

  /** The same call with other flags. */
  withFlags(flags: WriteFlags): ApiCall {
    const call = new ApiCall(this.info, this.user, this.face, flags, this.#signal);
    call.#warnings = this.#warnings ??= [];
    call.#isLarge = this.#isLarge;
    return call;
  }

  /** This call as admission sees it. */
  admission(
    operation: AdmissionCall["operation"],
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): AdmissionCall {
    return new Admission(this, operation, object, old);
  }
}

class Admission implements AdmissionCall {
  readonly operation: AdmissionCall["operation"];
  declare readonly object: KubeObject;
  declare readonly old: KubeObject;
  readonly #call: ApiCall;

  constructor(
    call: ApiCall,
    operation: AdmissionCall["operation"],
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ) {
    this.#call = call;
    this.operation = operation;
    if (object) this.object = object;
    if (old) this.old = old;
  }

  get info(): RequestInfo {
    return this.#call.info;
  }

  get user(): UserInfo {
    return this.#call.user;
  }

  get version(): string {
    return this.#call.face.kind.version;
  }

  get resource(): Resource {
    return this.#call.resource;
  }

  get kind(): Kind {
    return this.#call.kind;
  }

  get isDryRun(): boolean {
    return this.#call.isDryRun;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  warn(text: string): void {
    this.#call.warn(text);
  }
}
