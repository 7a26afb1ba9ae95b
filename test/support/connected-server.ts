import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as secureRequest, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectHandlers } from "../../src/apiserver/connect/connect-handlers.ts";
import { catalog } from "../../src/api/catalog.ts";
import { EndpointSlice } from "../../src/api/discovery/endpoint-slice.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { Service } from "../../src/api/core/service.ts";
import { SystemClock } from "../../src/base/system-clock.ts";
import { SystemRandom } from "../../src/base/system-random.ts";
import type { Client } from "../../src/client/client.ts";
import {
  createAuthority,
  issueCertificate,
  loadAuthority,
} from "../../src/wire/x509/certificate.ts";
import type { ApiServerOptions } from "../../src/apiserver/server.ts";
import { startTestServer, type TestServer } from "./api-server.ts";
import { node, pod, service } from "./builders.ts";

const FACTS = { now: Date.now(), random: new SystemRandom() };
const AUTHORITY = loadAuthority(createAuthority("test", FACTS));
const HOST = "127.0.0.1";

/** A certificate of the tests' authority, for 127.0.0.1. */
export function certificateFor(name: string): { readonly cert: string; readonly key: string } {
  const issued = issueCertificate(
    AUTHORITY,
    {
      subject: { commonName: name, organizations: [] },
      names: { dnsNames: [], ips: [HOST] },
      usages: ["serverAuth", "clientAuth"],
    },
    FACTS,
  );
  return { cert: issued.certificatePem, key: issued.keyPem };
}

/** What plays the kubelet, pod or service: a real server over TLS that notes its connections. */
export class Peer {
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  /** Connections that there have ever been. */
  connections = 0;
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.end("ok");
  };
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void = (_, socket) => {
    socket.end();
  };

  constructor() {
    const ca = AUTHORITY.certificatePem;
    const tls = { ...certificateFor("kubelet"), ca, requestCert: true, rejectUnauthorized: false };
    this.server = createServer(tls, (request, response) => this.onRequest(request, response));
    this.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => {});
      this.onUpgrade(request, socket, head);
    });
    this.server.on("secureConnection", (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.server.listen(0, HOST);
    await once(this.server, "listening");
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** An API server with sockets, and a peer that its node, pod and service all lead to. */
export interface ConnectedServer {
  readonly peer: Peer;
  readonly test: TestServer;
  readonly client: Client;
  readonly port: number;
  close(): Promise<void>;
}

/** Slices may name loopback addresses here: the peer has no other. */
const lenient = catalog.map((resource) =>
  resource.kind.kind === "EndpointSlice"
    ? { ...resource, strategy: { ...resource.strategy, validate: () => [] } }
    : resource,
);

/** Starts both: node `node`, pods `pod` and `two` on it, service `web` (port 80 named `http`) in front of `pod`. */
export async function startConnected(
  options: Partial<ApiServerOptions> & { readonly reachesLoopback?: boolean } = {},
): Promise<ConnectedServer> {
  const { reachesLoopback = true, ...rest } = options;
  const peer = new Peer();
  await peer.start();
  const { cert: clientCert, key: clientKey } = certificateFor("apiserver");
  const ca = AUTHORITY.certificatePem;
  const handlers = connectHandlers({
    ...{ clock: new SystemClock(), ca, clientCert, clientKey },
    ...(reachesLoopback && { isReachable: () => true }),
  });
  const listening = { listen: [{ host: HOST, port: 0 }], clientCa: ca };
  const test = await startTestServer({
    resources: lenient,
    subresources: () => handlers,
    http: { ...listening, ...certificateFor("server") },
    ...rest,
  });
  await fill(test.client, peer.port);
  const close = async (): Promise<void> => {
    peer.close();
    await test.close();
  };
  return { peer, test, client: test.client, port: test.server.addresses[0]!.port, close };
}

async function fill(client: Client, port: number): Promise<void> {
  const addresses = [{ type: "InternalIP", address: HOST }];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  await client.create(Node, node("node"));
  await client.updateStatus(Node, node("node", { status }));
  const ports = [{ containerPort: port }];
  const containers = [{ name: "app", image: "app:1", ports }];
  const two = [...containers, { name: "side", image: "app:1" }];
  for (const made of [
    pod("pod", { spec: { nodeName: "node", containers } }),
    pod("two", { spec: { nodeName: "node", containers: two } }),
    pod("nowhere"),
  ]) {
    await client.create(Pod, made);
    await client.updateStatus(Pod, { ...made, status: { podIP: HOST, podIPs: [{ ip: HOST }] } });
  }
  await client.create(Service, service("web", { spec: { ports: [{ name: "http", port: 80 }] } }));
  await client.create(EndpointSlice, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: "web-1",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: [HOST],
        conditions: { ready: true },
        targetRef: { kind: "Pod", name: "pod", namespace: "default" },
      },
    ],
    ports: [{ name: "http", port, protocol: "TCP" }],
  });
}

type Headers = Readonly<Record<string, string>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** One request over HTTP/1.1. */
export async function ask(
  { port }: ConnectedServer,
  method: string,
  path: string,
  { headers = {}, body }: { readonly headers?: Headers; readonly body?: string } = {},
): Promise<HttpAnswer> {
  const response = await open(port, method, path, headers, body);
  let text = "";
  for await (const piece of response) text += String(piece);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** The head of an answer; its body is the caller's to read or destroy. */
export async function open(
  port: number,
  method: string,
  path: string,
  headers: Headers = {},
  body?: string,
): Promise<IncomingMessage> {
  const request = secureRequest({
    ...{ host: HOST, port, method, path, headers, agent: false },
    rejectUnauthorized: false,
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

export interface Switched {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Absent: refused, with `text`. */
  readonly socket?: Duplex;
  readonly text: string;
}

/** A request to switch protocols. */
export async function ask101(
  { port }: ConnectedServer,
  method: string,
  path: string,
  headers: Headers,
): Promise<Switched> {
  const request = secureRequest({
    ...{ host: HOST, port, method, path, agent: false, rejectUnauthorized: false },
    headers: { connection: "Upgrade", ...headers },
  });
  request.end();
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("upgrade", ({ headers: answered }, socket: Duplex, head: Buffer) => {
      socket.unshift(head);
      resolve({ status: 101, headers: answered, socket, text: "" });
    });
    request.on("response", (response) => {
      let text = "";
      response.on("data", (piece) => (text += String(piece)));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
  });
}
