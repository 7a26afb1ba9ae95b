import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Where connections go. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * Joins every connection to a free port of 127.0.0.1 with one to `target`, byte by byte, until it is closed.
 *
 * An end of one side ends the other; a target that refuses ends the connection: the next one is tried anew.
 */
export class TcpForwarder {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws {Error} 127.0.0.1 has no free port. */
  static listen(target: TcpTarget): Promise<TcpForwarder> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ ...target, allowHalfOpen: true });
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
      }
      near.on("error", () => far.destroy());
      far.on("error", () => near.destroy());
      near.pipe(far);
      far.pipe(near);
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(new TcpForwarder(server, sockets)));
    });
  }

  /** Listens no more and ends what is open. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
