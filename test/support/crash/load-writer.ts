import assert from "node:assert/strict";
import type { Random } from "../../../src/base/random.ts";
import { NoAnswer, type ApiConnection, type Answer, type StoredObject } from "./api-connection.ts";
import { SEQUENCE, type Ledger } from "./ledger.ts";

/** Label of all objects of the load; what controllers make has it not. */
export const LABEL = "load";

/** A kind that the load writes. */
export interface LoadKind {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly content: object;
}

const LOAD = "/namespaces/load";
const POD = {
  automountServiceAccountToken: false,
  containers: [{ name: "c", image: "none" }],
};

/** Durable objects of two sizes, and Leases, which live in the store's lazily flushed file. */
export const LOAD_KINDS: readonly LoadKind[] = [
  {
    path: `/api/v1${LOAD}/configmaps`,
    apiVersion: "v1",
    kind: "ConfigMap",
    content: { data: { text: "x".repeat(900) } },
  },
  { path: `/api/v1${LOAD}/pods`, apiVersion: "v1", kind: "Pod", content: { spec: POD } },
  {
    path: `/apis/coordination.k8s.io/v1${LOAD}/leases`,
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    content: { spec: { holderIdentity: "load" } },
  },
];

/** A writer with names of its own: creates, replaces, patches and deletes them by chance, one at a time. */
export class LoadWriter {
  readonly #kind: LoadKind;
  readonly #ledger: Ledger;
  readonly #names: readonly string[];
  readonly #random: Random;
  readonly #next: () => number;

  constructor(
    kind: LoadKind,
    ledger: Ledger,
    names: readonly string[],
    random: Random,
    next: () => number,
  ) {
    this.#kind = kind;
    this.#ledger = ledger;
    this.#names = names;
    this.#random = random;
    this.#next = next;
  }

  /** Writes until the server is gone or `isOver`; `onWritten` hears of each acknowledgement. */
  async write(
    connection: ApiConnection,
    isOver: () => boolean,
    onWritten: () => void,
  ): Promise<void> {
    try {
      while (!isOver()) {
        await this.#one(connection, this.#names[this.#random.integer(this.#names.length)]!);
        onWritten();
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  async #one(connection: ApiConnection, name: string): Promise<void> {
    const version = this.#ledger.version(name);
    if (!version) return this.#send(connection, name, "POST", this.#object(name));
    const choice = this.#random.integer(4);
    if (choice === 0) return this.#send(connection, name, "DELETE");
    if (choice === 1) return this.#replace(connection, name);
    return this.#send(connection, name, "PATCH", this.#object(name));
  }

  /** Reads, and writes back under the condition that nobody else did. */
  async #replace(connection: ApiConnection, name: string): Promise<void> {
    const path = `${this.#kind.path}/${name}`;
    const { body } = await connection.request<StoredObject>("GET", path);
    const { metadata } = this.#object(name);
    await this.#send(connection, name, "PUT", {
      ...body,
      metadata: { ...body.metadata, ...metadata },
    });
  }

  async #send(
    connection: ApiConnection,
    name: string,
    method: string,
    object?: Pick<StoredObject, "metadata"> | object,
  ): Promise<void> {
    const sequence = object && Number((object as StoredObject).metadata.annotations?.[SEQUENCE]);
    const isNew = method === "POST";
    const path = isNew ? this.#kind.path : `${this.#kind.path}/${name}`;
    this.#ledger.intend(name, { sequence });
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const body = object ?? { gracePeriodSeconds: 0 };
    const answer: Answer<StoredObject> = await connection.request(method, path, body, type);
    assert.ok(
      answer.status === 200 || answer.status === 201,
      `${method} ${path}: ${JSON.stringify(answer)}`,
    );
    this.#ledger.succeeded(name, object && answer.body);
  }

  #object(name: string): { readonly metadata: object; readonly [field: string]: unknown } {
    const { apiVersion, kind, content } = this.#kind;
    const annotations = { [SEQUENCE]: String(this.#next()) };
    return {
      apiVersion,
      kind,
      metadata: { name, labels: { [LABEL]: "1" }, annotations },
      ...content,
    };
  }
}
