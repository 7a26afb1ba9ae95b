import assert from "node:assert/strict";
import { NoAnswer, type ApiConnection, type StoredObject } from "./api-connection.ts";

interface CounterObject extends StoredObject {
  readonly data: { readonly count: string };
}

const COLLECTION = "/api/v1/namespaces/load/configmaps";
const PATH = `${COLLECTION}/counter`;

/** One object that many writers count up, each under the condition that it read the newest: no increment may be lost. */
export class SharedCounter {
  acknowledged = 0;
  /** Between `least` and `least + unknown`. */
  #least = 0;
  #unknown = 0;

  async create(connection: ApiConnection): Promise<void> {
    const object = { metadata: { name: "counter" }, data: { count: "0" } };
    assert.equal((await connection.request("POST", COLLECTION, object)).status, 201);
  }

  /** Counts until the server is gone or `isOver`. */
  async increment(connection: ApiConnection, isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) await this.#one(connection);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  /** While nobody counts. */
  async settle(connection: ApiConnection): Promise<void> {
    const { body } = await connection.request<CounterObject>("GET", PATH);
    const count = Number(body.data.count);
    assert.ok(
      count >= this.#least && count <= this.#least + this.#unknown,
      `${count} increments, must be ${this.#least} and up to ${this.#unknown} more`,
    );
    this.#least = count;
    this.#unknown = 0;
  }

  async #one(connection: ApiConnection): Promise<void> {
    const { body } = await connection.request<CounterObject>("GET", PATH);
    const count = String(Number(body.data.count) + 1);
    this.#unknown++;
    const { status } = await connection.request("PUT", PATH, { ...body, data: { count } });
    this.#unknown--;
    assert.ok(status === 200 || status === 409, String(status));
    if (status === 409) return;
    this.#least++;
    this.acknowledged++;
  }
}
