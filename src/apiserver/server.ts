import type { Resource } from "../api/machinery/resource.ts";
import type { SchemaSet } from "../api/machinery/schema.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { MetricRegistry } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import type { Store } from "../store/store.ts";
import type { HttpTimes } from "../wire/http/limits.ts";
import { serveHttp, type HttpServer, type ListenAddress } from "../wire/http/server.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import type { Allocator } from "./allocation/allocator.ts";
import type { ApiResponse } from "./api-response.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { ReviewHandler } from "./authz/reviews.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { ensureSystemObjects } from "./background/system-objects.ts";
import { ensureKubernetesService } from "./background/kubernetes-service.ts";
import { ServiceAllocator, type ServiceRanges } from "./allocation/service-allocator.ts";
import { startUpkeep, type UpkeepTask } from "./background/upkeep.ts";
import { addDiscoveryPaths, type DescribesApi } from "./discovery-paths.ts";
import { addHealthPaths, type HealthCheck } from "./health-paths.ts";
import { FlowControl } from "./flowcontrol/flow-control.ts";
import { followFlowObjects } from "./flowcontrol/flow-objects.ts";
import { PathTable, type PathHandler } from "./path-table.ts";
import { BODY_BYTES_MAX, Pipeline } from "./pipeline.ts";
import type { ServerParts } from "./parts.ts";
import { QuotaGate } from "./quota/quota-gate.ts";
import { WatchCache } from "./registry/watch-cache.ts";
import type { ApiRequest } from "./request.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { ResourceTable } from "./resource-table.ts";
import { SubresourceTable, type SubresourceHandler } from "./subresources/subresource.ts";
import { bindings } from "./subresources/pod-binding.ts";
import { builtInSubresources } from "./subresources/built-in.ts";

/** Milliseconds that open requests get when the server closes. Watches are ended at once. */
const CLOSE_GRACE_MS = 2000;

/** How often the `kubernetes` Service is set right, in milliseconds. @spec controlplane DefaultEndpointReconcilerInterval */
const ADVERTISE_MS = 10_000;

/** Where and with which certificate the server listens. */
export interface HttpListening {
  readonly listen: readonly ListenAddress[];
  readonly key: string;
  readonly cert: string;
  /** Signs client certificates. */
  readonly clientCa: string;
  /** How long clients may take. Default: upstream's times. */
  readonly times?: HttpTimes;
  /** Open connections at a time. Default: no bound. */
  readonly connectionsMax?: number;
}

export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly schemas: SchemaSet;
  readonly resources: readonly Resource[];
  /** Made after the cache is loaded, so that they may read it. */
  readonly authenticators: (server: ApiServer) => readonly Authenticator[];
  readonly authorizers: (server: ApiServer) => readonly Authorizer[];
  readonly admission: (server: ApiServer) => readonly AdmissionPlugin[];
  readonly reviews?: (server: ApiServer) => readonly ReviewHandler[];
  readonly subresources?: (server: ApiServer) => readonly SubresourceHandler[];
  /** Paths outside of resources, OpenAPI for one. A path that ends in `/*` stands for all below it. */
  readonly paths?: (server: ApiServer) => Readonly<Record<string, PathHandler>>;
  /** `/openapi/…`; absent: not served. */
  readonly openApi?: DescribesApi;
  readonly healthChecks?: readonly HealthCheck[];
  readonly version: object;
  readonly metrics?: MetricRegistry;
  readonly services: ServiceRanges;
  /** Where pods reach this server: the endpoint of the `kubernetes` Service. Absent: there is no such Service. */
  readonly advertised?: { readonly address: string; readonly port: number };
  /** Makes the default FlowSchemas and PriorityLevelConfigurations, and keeps statuses; behind the start. */
  readonly keepsFlowObjects?: boolean;
  /** Absent: no sockets; embedded and simulated servers are called through their clients. */
  readonly http?: HttpListening;
}

/** A running API server. */
export interface ApiServer {
  readonly parts: ServerParts;
  readonly pipeline: Pipeline;
  /** Where it listens; empty without sockets. */
  readonly addresses: readonly ListenAddress[];
  /** Rejects when the server cannot go on (its store broke): the process should end. */
  readonly failed: Promise<never>;
  setCertificate(key: string, cert: string): void;
  close(): Promise<void>;
}

/**
 * Starts the API server: loads the store, makes the objects every cluster has, then listens.
 *
 * Resolves when it is ready. Everything it needs is injected; it reads no file and no environment.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, logger, schemas } = options;
  const cache = await WatchCache.start(store, logger);
  const metrics = options.metrics ?? new MetricRegistry();
  const resources = new ResourceTable(schemas, cache);
  for (const resource of options.resources) resources.add(resource);
  const services = new ServiceAllocator(options.services, cache.resource("", "services"), random);
  const subresources = new SubresourceTable();
  for (const handler of builtInSubresources) subresources.add(handler);
  const parts: MutableParts = {
    store,
    cache,
    clock,
    random,
    logger,
    metrics,
    schemas,
    resources,
    authenticators: [],
    authorizers: [],
    admission: [],
    reviews: new Map(),
    allocators: new Map<string, Allocator>([["/services", services]]),
    quotas: new QuotaGate(resources),
    subresources,
    watches: new Set(),
  };
  const paths = new PathTable();
  const flows = new FlowControl(clock, metrics);
  const pipeline = new Pipeline(parts, paths, new RequestMetrics(metrics, resources), flows);
  const server = new RunningServer(parts, pipeline);
  parts.authenticators = options.authenticators(server);
  parts.authorizers = options.authorizers(server);
  parts.admission = options.admission(server);
  const reviews = [bindings(parts), ...(options.reviews?.(server) ?? [])];
  parts.reviews = new Map(
    reviews.map((handler) => [`${handler.group}/${handler.plural}`, handler]),
  );
  for (const handler of options.subresources?.(server) ?? []) subresources.add(handler);
  addHealthPaths(paths, parts, options.healthChecks ?? [], options.version);
  const outside = options.advertised;
  const address = outside ? `${outside.address}:${outside.port}` : "";
  addDiscoveryPaths(paths, parts, address, options.openApi);
  for (const [path, handler] of Object.entries(options.paths?.(server) ?? {}))
    paths.add(path, handler);
  // Authorizers and admission decide by what they were told.
  await cache.told();
  await ensureSystemObjects(parts);
  const tasks = await advertise(parts, options, services);
  if (options.http) await server.listen(options.http);
  const flowTask = followFlowObjects(parts, flows, options.keepsFlowObjects ?? false);
  server.onClose(startUpkeep(parts, [...tasks, ...flowTask]));
  return server;
}

/** Makes the `kubernetes` Service. @returns what keeps it so, where there is an address to advertise */
async function advertise(
  parts: ServerParts,
  { advertised }: ApiServerOptions,
  services: ServiceAllocator,
): Promise<readonly UpkeepTask[]> {
  if (!advertised) return [];
  const { firstAddress: clusterIp } = services;
  const run = (): Promise<void> => ensureKubernetesService(parts, { ...advertised, clusterIp });
  // Not a reason to refuse service: a loopback address, for one, is none that endpoints may have.
  await run().catch((error: unknown) =>
    parts.logger.warning("the kubernetes Service is not as it should be", { error: String(error) }),
  );
  return [{ periodMs: ADVERTISE_MS, run }];
}

type MutableParts = { -readonly [K in keyof ServerParts]: ServerParts[K] };

class RunningServer implements ApiServer {
  readonly parts: ServerParts;
  readonly pipeline: Pipeline;
  #http: HttpServer | undefined;
  readonly #closers: (() => void)[] = [];

  constructor(parts: ServerParts, pipeline: Pipeline) {
    this.parts = parts;
    this.pipeline = pipeline;
  }

  get addresses(): readonly ListenAddress[] {
    return this.#http?.addresses ?? [];
  }

  get failed(): Promise<never> {
    return this.parts.cache.failed;
  }

  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  setCertificate(key: string, cert: string): void {
    this.#http?.setCertificate(key, cert);
  }

  async listen(http: HttpListening): Promise<void> {
    this.#http = await serveHttp({
      ...http,
      bodyBytesMax: BODY_BYTES_MAX,
      handler: (request) => this.pipeline.handle(request as ApiRequest),
      upgrade: (request, socket, head): Promise<ApiResponse | undefined> =>
        this.pipeline.upgrade(request as ApiRequest, socket, head),
    });
  }

  async close(): Promise<void> {
    for (const closer of this.#closers) closer();
    for (const watch of this.parts.watches) watch.finish();
    await this.#http?.close(CLOSE_GRACE_MS);
  }
}
