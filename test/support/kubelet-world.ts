import * as https from "node:https";
import { connect } from "node:tls";
import { join } from "node:path";
import { createAuth } from "../../src/apiserver/auth.ts";
import { loadSigningKey } from "../../src/apiserver/authn/token-signature.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { serviceAccountToken } from "../../src/apiserver/subresources/service-account-token.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { Event } from "../../src/api/core/event.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import type { Clock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SystemClock } from "../../src/base/system-clock.ts";
import { SystemRandom } from "../../src/base/system-random.ts";
import type { Client } from "../../src/client/client.ts";
import type { V1Pod, V1PodSpec } from "../../src/gen/types.ts";
import {
  startKubelet,
  type Kubelet,
  type KubeletOptions,
} from "../../src/kubelet/start-kubelet.ts";
import { CRI_NAMESPACE, watchTasks } from "../../src/wire/containerd/events.ts";
import { GrpcCriClient } from "../../src/wire/cri/grpc-cri-client.ts";
import { GrpcChannel } from "../../src/wire/grpc/channel.ts";
import {
  createAuthority,
  createKeyPem,
  issueCertificate,
  loadAuthority,
} from "../../src/wire/x509/certificate.ts";
import { startTestServer } from "./api-server.ts";
import { TEST_IMAGE, waitFor, type PrivateContainerd } from "./private-containerd.ts";

const NODE = "node-1";

/** What of a kubelet a test may set. */
export type KubeletLimits = Pick<KubeletOptions, "logLimits" | "thresholds" | "imageLimits">;

/** One real kubelet on a real containerd, and a real API server in this process. */
export interface KubeletWorld {
  readonly client: Client;
  readonly kubelet: Kubelet;
  /** Creates a Pod of one container named `app`, bound to the node. */
  run(name: string, container: object, spec?: Partial<V1PodSpec>): Promise<V1Pod>;
  get(name: string): Promise<V1Pod>;
  until(name: string, isTrue: (pod: V1Pod) => boolean): Promise<V1Pod>;
  untilGone(name: string): Promise<void>;
  /** `Reason message` of a Pod's events. */
  events(name: string): Promise<readonly string[]>;
  /** What the container `app` of a Pod has written; `query`: which part of it. */
  log(pod: string, query?: string): Promise<string>;
  /** GET or POST of the kubelet's API as the API server. */
  ask(path: string, method?: string, isMaster?: boolean): Promise<{ code: number; body: string }>;
  /** An upgraded connection; resolves with everything that came until it closed or fell silent. */
  upgrade(path: string): Promise<string>;
  restartKubelet(): Promise<void>;
  close(): Promise<void>;
}

/** True when that condition is. */
export function isTrue(pod: V1Pod, type: string): boolean {
  return pod.status?.conditions?.find((one) => one.type === type)?.status === "True";
}

/** Starts it all. */
export async function startKubeletWorld(
  containerd: PrivateContainerd,
  limits: KubeletLimits = {},
  clock: Clock = new SystemClock(),
): Promise<KubeletWorld> {
  const random = new SystemRandom();
  const key = loadSigningKey(createKeyPem());
  const api = await startTestServer({
    clock,
    subresources: (server) => [
      serviceAccountToken(() => {
        const cache = new InProcessCache(server.parts);
        return createAuth(
          { issuer: "https://issuer", keys: [key], jwksUri: "" },
          cache,
          clock,
          random,
        ).tokens;
      }),
    ],
  });
  const { client } = api;
  await client.create(Namespace, { metadata: { name: "kube-node-lease" } }).catch(() => {});
  await client.create(Namespace, { metadata: { name: "default" } }).catch(() => {});
  const facts = { now: clock.now(), random };
  const ca = createAuthority("test-ca", facts);
  const authority = loadAuthority(ca);
  const serving = issueCertificate(
    authority,
    {
      subject: { commonName: `system:node:${NODE}`, organizations: ["system:nodes"] },
      names: { dnsNames: ["localhost"], ips: ["127.0.0.1"] },
      usages: ["serverAuth"],
    },
    facts,
  );
  const callerOf = (organization: string) =>
    issueCertificate(
      authority,
      { subject: { commonName: "caller", organizations: [organization] }, usages: ["clientAuth"] },
      facts,
    );
  const [master, nobody] = [callerOf("system:masters"), callerOf("nobodies")];
  const start = (): Promise<Kubelet> => {
    const events = new GrpcChannel(containerd.endpoint, { "containerd-namespace": CRI_NAMESPACE });
    return startKubelet({
      client,
      cache: new InProcessCache(api.server.parts),
      cri: new GrpcCriClient(new GrpcChannel(containerd.endpoint)),
      watchRuntime: (signal) => watchTasks(events, signal),
      clock,
      random,
      logger: silentLogger,
      nodeName: NODE,
      nodeIps: ["10.88.0.2"],
      folders: {
        state: join(containerd.folder, "kubelet"),
        logs: join(containerd.folder, "logs"),
        logLinks: join(containerd.folder, "links"),
        ownVolumes: join(containerd.folder, "volumes"),
      },
      dns: { clusterServers: ["10.96.0.10"], clusterDomain: "cluster.local" },
      cgroupRoot: containerd.cgroupRoot,
      ...limits,
      version: "v1.36.0+skiff.test",
      server: {
        host: "127.0.0.1",
        port: 0,
        certificate: serving.certificatePem,
        key: serving.keyPem,
        clientCa: ca.certificatePem,
      },
      gate: async ({ certificate }) =>
        certificate?.groups.includes("system:masters")
          ? { isAllowed: true }
          : { isAllowed: false, code: 403, message: "Forbidden" },
    });
  };
  let kubelet = await start();
  const get = (name: string): Promise<V1Pod> => client.get(Pod, { namespace: "default", name });
  const tlsOf = (isMaster: boolean) => {
    const { certificatePem: cert, keyPem: key } = isMaster ? master : nobody;
    return { host: "127.0.0.1", port: kubelet.port, ca: ca.certificatePem, cert, key };
  };
  const ask: KubeletWorld["ask"] = (path, method = "GET", isMaster = true) =>
    new Promise((resolve, reject) => {
      const request = https.request(
        { ...tlsOf(isMaster), path, method, agent: false },
        (answer) => {
          let body = "";
          answer.on("data", (chunk) => (body += String(chunk)));
          answer.on("end", () => resolve({ code: answer.statusCode ?? 0, body }));
        },
      );
      request.on("error", reject);
      request.end();
    });
  return {
    client,
    get kubelet() {
      return kubelet;
    },
    run: (name, container, spec = {}) =>
      client.create(Pod, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: {
          nodeName: NODE,
          automountServiceAccountToken: false,
          containers: [{ name: "app", image: TEST_IMAGE, ...container }],
          ...spec,
        },
      }),
    get,
    until: async (name, isDone) => {
      let last: V1Pod | undefined;
      await waitFor(
        async () => isDone((last = await get(name))),
        30_000,
        `${name} in the wanted state`,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(last?.status)}`);
      });
      return last!;
    },
    untilGone: (name) =>
      waitFor(
        () =>
          get(name).then(
            () => false,
            () => true,
          ),
        30_000,
        `${name} gone`,
      ),
    events: async (name) => {
      const { items } = await client.list(Event, { namespace: "default" });
      return items
        .filter((event) => event.involvedObject.name === name)
        .map((event) => `${event.reason} ${event.message}`);
    },
    ask,
    log: async (pod, query = "") => (await ask(`/containerLogs/default/${pod}/app${query}`)).body,
    upgrade: (path) =>
      new Promise((resolve, reject) => {
        const socket = connect(tlsOf(true), () =>
          socket.write(
            `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n` +
              "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n",
          ),
        );
        let text = "";
        socket.on("data", (chunk) => {
          text += chunk.toString("latin1");
          if (text.includes("\r\n\r\n")) socket.end();
        });
        socket.on("close", () => resolve(text));
        socket.on("error", reject);
      }),
    restartKubelet: async () => {
      kubelet.close();
      kubelet = await start();
    },
    close: async () => {
      const { items } = await client.list(Pod, { namespace: "default" });
      for (const { metadata } of items)
        await client
          .delete(Pod, { namespace: "default", name: metadata?.name ?? "" }, { graceSeconds: 0 })
          .catch(() => {});
      await waitFor(() => kubelet.pods.workers.length === 0);
      kubelet.close();
      await api.close();
    },
  };
}
