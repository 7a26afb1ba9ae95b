import type { Socket } from "node:net";

/** Requests under way on what carries them: a session of HTTP/2, or a connection of HTTP/1.1. */
export const OPEN = Symbol("open requests");

/** What carries requests. */
export interface Carrier {
  [OPEN]?: number;
}

/** One connection, from its first packet on. */
interface Connection {
  readonly socket: Socket;
  /** Absent: TLS does not stand yet. */
  carrier?: Carrier;
}

/** Part of the idle ones that go when there are too many: so that not each new one costs a search. */
const CUT_PART = 0.05;

/**
 * The open connections of all listeners.
 *
 * @bounds `max`: above, the oldest of those without a request go, so that whoever opens many, and does nothing with them, locks
 *         nobody out; if there is none, the new one goes.
 */
export class Connections {
  readonly #max: number;
  /** In the order of their beginning. By their other end: TLS gives the same connection another object. */
  readonly #open = new Map<string, Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A connection has come. */
  add(socket: Socket): void {
    const key = keyOf(socket);
    const connection: Connection = { socket };
    this.#open.set(key, connection);
    socket.once("close", () => {
      if (this.#open.get(key) === connection) this.#open.delete(key);
    });
    if (this.#open.size > this.#max) this.#makeRoom();
  }

  /** From now on `carrier` says whether the connection of `socket`, the same over TLS, is in use. */
  follow(socket: Socket, carrier: Carrier): void {
    const connection = this.#open.get(keyOf(socket));
    if (connection) connection.carrier = carrier;
  }

  #makeRoom(): void {
    let left = Math.ceil(this.#max * CUT_PART);
    for (const { socket, carrier } of this.#open.values()) {
      if (carrier?.[OPEN]) continue;
      socket.destroy();
      if (--left === 0) return;
    }
  }
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
