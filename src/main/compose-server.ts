import { CertificateSigningRequest } from "../api/certificates/certificate-signing-request.ts";
import { catalog } from "../api/catalog.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { loadSchemas } from "../api/machinery/schema-set.ts";
import { createAuth, type Auth } from "../apiserver/auth.ts";
import { loadSigningKey } from "../apiserver/authn/token-signature.ts";
import { reconcilePolicy } from "../apiserver/authz/policy/reconcile.ts";
import { SYSTEM_USER } from "../apiserver/background/system-call.ts";
import { Definitions } from "../apiserver/openapi/definitions.ts";
import { OpenApi } from "../apiserver/openapi/openapi.ts";
import type { ApiResponse } from "../apiserver/api-response.ts";
import type { PathHandler } from "../apiserver/path-table.ts";
import { connectHandlers } from "../apiserver/connect/connect-handlers.ts";
import { serviceAccountToken } from "../apiserver/subresources/service-account-token.ts";
import { podWhy } from "../apiserver/subresources/pod-why.ts";
import type { SubresourceHandler } from "../apiserver/subresources/subresource.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { inProcessClient } from "../apiserver/in-process-client.ts";
import type { UserInfo } from "../apiserver/request.ts";
import { startApiServer, type ApiServer, type HttpListening } from "../apiserver/server.ts";
import { turnsOf } from "../base/turns.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { MetricRegistry } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import type { Cache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { CertificatePort } from "../controllers/certificates/port.ts";
import { startControllers, type ControllerSettings } from "../controllers/all.ts";
import { parsePodRange } from "../controllers/nodeipam/nodeipam.ts";
import { EventRecorder } from "../client/event-recorder.ts";
import { fixedKinds } from "../reconciler/served-kinds.ts";
import { WorkQueueMetrics } from "../reconciler/work-queue-metrics.ts";
import type { SchedulerConfiguration } from "../scheduler/configuration.ts";
import type { PostJson } from "../scheduler/extender.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import type { V1Pod } from "../gen/types.ts";
import type { Store } from "../store/store.ts";
import { signLegacyToken } from "../apiserver/authn/legacy-token.ts";
import type { Issued, IssueFacts } from "../wire/x509/certificate.ts";
import { certificatePort } from "./certificate-port.ts";
import { ensureLegacyTokenTracking, lastUseMarker } from "./legacy-tokens.ts";
import { ensureClusterDns } from "./cluster-dns-service.ts";

/** Who issues service-account tokens, and the audience of those that name none. */
export const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** Everything a control plane is made of; nothing here reads files, arguments or the environment. */
export interface ControlPlaneOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: object;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly nodePodPrefix: number;
  readonly clusterDns: string;
  /** PEM: private key that signs service-account tokens. */
  readonly serviceAccountKey: string;
  /** PEM: the authority that clients trust; published as `kube-root-ca.crt`. */
  readonly ca: string;
  /** PEM: the key of that authority. Absent: requests for certificates are not signed. */
  readonly caKey?: string;
  /** What signs requests, where it may become another one; absent: `ca` and `caKey`. */
  readonly signingAuthority?: () => Issued;
  /** PEM: who the API server is to kubelets. Absent: nothing is passed on to kubelets, pods or services. */
  readonly kubeletClient?: { readonly cert: string; readonly key: string };
  /** The text of the OpenAPI definitions that the build wrote; read when a client first asks. */
  readonly definitions: () => string;
  readonly advertised?: { readonly address: string; readonly port: number };
  readonly http?: HttpListening;
  /** The machine's name: the scheduler's events say on which one it runs. */
  readonly hostName?: string;
  /** How the scheduler works. Default: one profile with all plugins. */
  readonly scheduling?: SchedulerConfiguration;
  /** How extenders of the scheduler are spoken to. */
  readonly postJson?: PostJson;
  readonly runsControllers: boolean;
  readonly runsScheduler: boolean;
  /** Default: signed by the key above, anew each time; a simulation wants the same each time. */
  readonly issueSecretToken?: ControllerSettings["issueSecretToken"];
}

/** A running API server with its controllers and scheduler. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly cache: Cache;
  /** A client that may do what `user` may. */
  client(user: UserInfo): Client;
  close(): Promise<void>;
}

/** Who the server's own parts are; members of system:masters where upstream's are. */
export const controllerUser: UserInfo = {
  name: "system:kube-controller-manager",
  groups: ["system:masters", "system:authenticated"],
};
export const schedulerUser: UserInfo = {
  name: "system:kube-scheduler",
  groups: ["system:authenticated"],
};

/** Starts all of it; resolves when the API answers. Controllers and scheduler sync behind it. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, random, logger, store } = options;
  const auth = authMaker(options);
  const running: { explain?: (pod: V1Pod) => object } = {};
  const schemas = loadSchemas();
  const server = await startApiServer({
    store,
    clock,
    random,
    logger,
    schemas,
    resources: catalog,
    version: options.version,
    services: { serviceCidr: options.serviceCidr, nodePorts: NODE_PORTS },
    authenticators: (started) => [auth(started).authenticator],
    authorizers: (started) => [auth(started).authorizer],
    admission: (started) => auth(started).admission,
    reviews: (started) => auth(started).reviews,
    subresources: (started) => [
      serviceAccountToken(() => auth(started).tokens),
      ...connections(options),
      podWhy(() => running.explain),
    ],
    paths: (started) => paths(auth(started)),
    keepsFlowObjects: true,
    openApi: new OpenApi(new Definitions(options.definitions), schemas, options.clock),
    ...(options.advertised && { advertised: options.advertised }),
    ...(options.http && { http: options.http }),
  });
  await applyPolicy(server);
  // What follows begins thirty loops at once.
  const slice = turnsOf(clock).slice();
  if (slice.isOver) await slice.next();
  const cache = new InProcessCache(server.parts);
  await ensureClusterDns(inProcessClient(server.parts, SYSTEM_USER), cache, options.clusterDns);
  const closers = await runLoops(options, server, cache, (scheduler) => {
    running.explain = (pod) => scheduler.explain(pod);
  });
  return {
    server,
    cache,
    client: (user) => inProcessClient(server.parts, user),
    close: async () => {
      await Promise.all(closers.map((close) => close()));
      await server.close();
    },
  };
}

/** Where a server that advertises nothing is reached: by its own process alone. */
const LOCAL = { address: "127.0.0.1", port: 6443 };

/** @spec kube-apiserver --service-node-port-range */
const NODE_PORTS = { first: 30_000, last: 32_767 };

function jsonDocument(body: object, contentType: string): ApiResponse {
  const headers = { "content-type": contentType, "cache-control": "public, max-age=3600" };
  return { status: 200, headers, body: Buffer.from(JSON.stringify(body)) };
}

/** The ways through the server to kubelets, pods and services. */
function connections({
  clock,
  ca,
  kubeletClient,
}: ControlPlaneOptions): readonly SubresourceHandler[] {
  if (!kubeletClient) return [];
  const { cert: clientCert, key: clientKey } = kubeletClient;
  return connectHandlers({ clock, ca, clientCert, clientKey });
}

/** OpenID discovery of the token issuer. */
function paths(auth: Auth): Readonly<Record<string, PathHandler>> {
  return Object.fromEntries(
    auth.discovery.map(({ path, contentType, body }) => [
      path,
      () => jsonDocument(body, contentType),
    ]),
  );
}

/** What requests are checked by: made once, when the server's cache is there. */
function authMaker(options: ControlPlaneOptions): (server: ApiServer) => Auth {
  const { clock, random, logger, serviceAccountKey, advertised } = options;
  const { address, port } = advertised ?? LOCAL;
  const jwksUri = `https://${address}:${port}/openid/v1/jwks`;
  const keys = [loadSigningKey(serviceAccountKey)] as const;
  let made: Auth | undefined;
  return (server) =>
    (made ??= createAuth(
      {
        issuer: ISSUER,
        keys: [...keys],
        jwksUri,
        onSecretUsed: lastUseMarker(() => inProcessClient(server.parts, SYSTEM_USER), logger),
      },
      new InProcessCache(server.parts),
      clock,
      random,
    ));
}

/** Makes the default roles and bindings that are missing, all at once. */
async function applyPolicy(server: ApiServer): Promise<void> {
  const client = inProcessClient(server.parts, SYSTEM_USER);
  const writes = reconcilePolicy(new InProcessCache(server.parts));
  await Promise.all(
    writes.map(async ({ verb, kind, object }) => {
      const key = {
        name: object.metadata?.name ?? "",
        namespace: object.metadata?.namespace ?? "",
      };
      if (verb === "recreate") await client.delete(kind, key);
      if (verb === "update") await client.update(kind, object);
      else await client.create(kind, object);
    }),
  );
}

/** What the control loops must know of their cluster, wherever they run. */
export type LoopOptions = Pick<
  ControlPlaneOptions,
  | "clock"
  | "random"
  | "logger"
  | "ca"
  | "podCidr"
  | "nodePodPrefix"
  | "hostName"
  | "scheduling"
  | "postJson"
> &
  Pick<ControllerSettings, "issueSecretToken" | "certificates"> & {
    /** Where the loops tell of themselves; absent: nobody asks. */
    readonly metrics?: MetricRegistry;
  };

/** What of the loops is to run in this process. @returns their ends */
async function runLoops(
  options: ControlPlaneOptions,
  server: ApiServer,
  cache: Cache,
  onScheduler: (scheduler: Scheduler) => void,
): Promise<readonly (() => Promise<void>)[]> {
  const { clock, logger, runsControllers, runsScheduler } = options;
  const key = loadSigningKey(options.serviceAccountKey);
  const loops: LoopOptions = {
    ...options,
    metrics: server.parts.metrics,
    issueSecretToken: options.issueSecretToken ?? ((subject) => signLegacyToken(subject, key)),
    ...signing(options, server),
  };
  const clientOf = (user: UserInfo, program: string): Client =>
    inProcessClient(server.parts, user, program);
  // Nobody waits for it.
  if (runsControllers)
    ensureLegacyTokenTracking(inProcessClient(server.parts, SYSTEM_USER), clock).catch(
      (error: unknown) => logger.info("tracking of tokens was not noted", { error: String(error) }),
    );
  return [
    ...(runsControllers
      ? [runControllers(loops, clientOf(controllerUser, "kube-controller-manager"), cache)]
      : []),
    ...(runsScheduler
      ? [await runScheduler(loops, clientOf(schedulerUser, "kube-scheduler"), cache, onScheduler)]
      : []),
  ];
}

/** The cluster's authority, for those who sign in its name. */
function signing(
  { clock, random, ca, caKey, signingAuthority }: ControlPlaneOptions,
  { parts }: ApiServer,
): Pick<LoopOptions, "certificates"> {
  if (caKey === undefined) return {};
  const mayCreate: CertificatePort["mayCreate"] = (asker, subresource) =>
    parts.authorizers.some(
      (authorizer) =>
        authorizer.authorize(asker, {
          ...REQUESTS_OF_NODES,
          isResource: true,
          verb: "create",
          path: "",
          subresource,
          namespace: "",
          name: "",
        }).isAllowed,
    );
  const authority = signingAuthority ?? (() => ({ certificatePem: ca, keyPem: caKey }));
  const facts = (): IssueFacts => ({ now: clock.now(), random });
  return { certificates: certificatePort(authority, facts, mayCreate) };
}

const REQUESTS_OF_NODES = {
  group: CertificateSigningRequest.group,
  version: "*",
  plural: CertificateSigningRequest.plural,
};

/** Starts all controllers, as whom `client` speaks for. @returns ends them */
export function runControllers(
  options: LoopOptions,
  client: Client,
  cache: Cache,
): () => Promise<void> {
  const { clock, random, logger, ca, podCidr, nodePodPrefix, issueSecretToken } = options;
  const events = new EventRecorder(client, clock, random, logger);
  const controllers = startControllers(
    {
      caCertificates: ca,
      podRange: parsePodRange(podCidr, nodePodPrefix),
      served: fixedKinds(collectedKinds()),
      issueSecretToken,
      ...(options.certificates && { certificates: options.certificates }),
    },
    {
      client,
      cache,
      clock,
      logger,
      events,
      ...(options.metrics && {
        metrics: new WorkQueueMetrics(options.metrics),
        registry: options.metrics,
      }),
    },
  );
  return async () => {
    await controllers.close();
    events.close();
  };
}

/** Kinds whose objects own or are owned, and die with their namespace; Events end by themselves. */
function collectedKinds(): readonly Kind[] {
  return catalog
    .filter(
      ({ verbs }) =>
        !verbs || ["list", "watch", "delete"].every((verb) => verbs.includes(verb as never)),
    )
    .map(({ kind }) => kind)
    .filter(({ kind }) => kind !== "Event");
}

/** Starts the scheduler, as whom `client` speaks for. @returns ends it */
export async function runScheduler(
  { clock, random, logger, hostName, scheduling, postJson, metrics }: LoopOptions,
  client: Client,
  cache: Cache,
  onMade: (scheduler: Scheduler) => void = () => {},
): Promise<() => Promise<void>> {
  const events = new EventRecorder(
    client,
    clock,
    random,
    logger,
    hostName ? { host: hostName } : {},
  );
  const scheduler = new Scheduler({
    client,
    cache,
    clock,
    random,
    logger,
    events,
    ...(scheduling && { configuration: scheduling }),
    ...(postJson && { postJson }),
    ...(metrics && { metrics }),
  });
  onMade(scheduler);
  await scheduler.start();
  return () => {
    scheduler.close();
    events.close();
    return Promise.resolve();
  };
}
