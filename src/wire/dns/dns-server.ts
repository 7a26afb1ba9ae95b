import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Packet, ResponseParts } from "./message.ts";
import { decodeQuery, encodeResponse } from "./message.ts";

/** TCP clients at once; further ones are turned away. A node has a few hundred pods, and they prefer UDP. */
const TCP_CLIENTS_MAX = 512;
/** A TCP client that says nothing for this long, in ms, is dropped. @spec RFC 7766 6.2.3 */
const TCP_IDLE_MS_MAX = 10_000;
/** Receive buffer of the UDP socket, in bytes: takes a burst of some thousand questions while the loop is busy. */
const UDP_BUFFER_BYTES = 2 * 1024 * 1024;

/** Answers one query. A rejection becomes SERVFAIL. */
export type QueryHandler = (query: Packet) => ResponseParts | Promise<ResponseParts>;

/** A DNS server on one address, over UDP and TCP. What is no query is dropped unanswered. */
export class DnsServer {
  readonly #handler: QueryHandler;
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  readonly #clients = new Set<Socket>();

  constructor(handler: QueryHandler) {
    this.#handler = handler;
  }

  /** @throws {Error} `EADDRINUSE`, `EADDRNOTAVAIL` … of the system. */
  async listen(address: string, port: number): Promise<void> {
    await Promise.all([this.#listenUdp(address, port), this.#listenTcp(address, port)]);
  }

  close(): void {
    this.#udp?.close();
    this.#tcp?.close();
    for (const client of this.#clients) client.destroy();
  }

  #listenUdp(address: string, port: number): Promise<void> {
    const socket = createSocket({ type: "udp4", recvBufferSize: UDP_BUFFER_BYTES });
    this.#udp = socket;
    socket.on("message", (bytes, client) => {
      const query = decodeQuery(bytes);
      if (!query) return;
      void this.#respond(query, true).then((response) => {
        if (this.#udp === socket) socket.send(response, client.port, client.address, () => {});
      });
    });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address, port }, () => {
        socket.off("error", reject);
        socket.on("error", () => {});
        resolve();
      });
    });
  }

  #listenTcp(address: string, port: number): Promise<void> {
    const server = createServer((client) => this.#serve(client));
    server.maxConnections = TCP_CLIENTS_MAX;
    this.#tcp = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port }, () => resolve());
    });
  }

  /** Each message is preceded by its length in two bytes. @spec RFC 1035 4.2.2 */
  #serve(client: Socket): void {
    this.#clients.add(client);
    let buffered = Buffer.alloc(0);
    client.setTimeout(TCP_IDLE_MS_MAX, () => client.destroy());
    client.on("error", () => client.destroy());
    client.on("close", () => this.#clients.delete(client));
    client.on("data", (part: Buffer) => {
      buffered = Buffer.concat([buffered, part]);
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        const length = buffered.readUInt16BE(0);
        const query = decodeQuery(buffered.subarray(2, 2 + length));
        buffered = buffered.subarray(2 + length);
        if (!query) {
          client.destroy();
          return;
        }
        void this.#respond(query, false).then((response) => {
          const head = Buffer.alloc(2);
          head.writeUInt16BE(response.length);
          if (!client.destroyed) client.write(Buffer.concat([head, response]));
        });
      }
    });
  }

  async #respond(query: Packet, isUdp: boolean): Promise<Buffer> {
    try {
      return encodeResponse(query, await this.#handler(query), isUdp);
    } catch {
      return encodeResponse(query, { code: "SERVFAIL", isAuthoritative: false }, isUdp);
    }
  }
}
