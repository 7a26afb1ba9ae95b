import { join } from "node:path";
import { catalog } from "../api/catalog.ts";
import { loadSchemas } from "../api/machinery/schema-set.ts";
import { EscalationCheck } from "../apiserver/authz/escalation.ts";
import { NamespaceLifecycle } from "../apiserver/admission/namespace-lifecycle.ts";
import { NodeRestriction } from "../apiserver/admission/node-restriction.ts";
import { Priority } from "../apiserver/admission/priority.ts";
import { ServiceAccountAdmission } from "../apiserver/admission/service-account.ts";
import { formatAddress, parseRange } from "../apiserver/allocation/address-range.ts";
import { RequestAuthenticator } from "../apiserver/authn/request-authenticator.ts";
import { TokenIssuer } from "../apiserver/authn/token-request.ts";
import { loadSigningKey } from "../apiserver/authn/token-signature.ts";
import { TokenVerifier } from "../apiserver/authn/token-verifier.ts";
import { AuthorizerChain } from "../apiserver/authz/authorizer-chain.ts";
import { NodeAuthorizer } from "../apiserver/authz/node-authorizer.ts";
import { RbacAuthorizer } from "../apiserver/authz/rbac-authorizer.ts";
import { RbacRules } from "../apiserver/authz/rbac-rules.ts";
import { reviewHandlers } from "../apiserver/authz/reviews.ts";
import { Definitions } from "../apiserver/openapi/definitions.ts";
import { OpenApi } from "../apiserver/openapi/openapi.ts";
import { reconcilePolicy, type PolicyWrite } from "../apiserver/authz/policy/reconcile.ts";
import { SYSTEM_USER } from "../apiserver/background/system-call.ts";
import { inProcessClient } from "../apiserver/in-process-client.ts";
import { keyOf } from "../api/machinery/object.ts";
import { versionDocument, type BuildFacts } from "../apiserver/discovery/version.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { startApiServer, type ApiServer } from "../apiserver/server.ts";
import { accountToken } from "../apiserver/subresources/account-token.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { openLmdbStore } from "../store/lmdb/open-lmdb-store.ts";
import type { Store } from "../store/store.ts";
import type { ListenAddress } from "../wire/http/server.ts";
import { ensurePki } from "./pki-files.ts";

export interface ServerSettings {
  /** The cluster's state folder. */
  readonly data: string;
  readonly listen: readonly ListenAddress[];
  readonly advertise: ListenAddress;
  readonly serviceCidr: string;
  readonly build: BuildFacts;
  /** Reads the built table of OpenAPI definitions, when it is first asked for. */
  readonly readDefinitions: () => string;
}

/** An API server and the store that it alone uses. */
export interface ComposedServer {
  readonly api: ApiServer;
  readonly store: Store;
  readonly cache: InProcessCache;
  close(): Promise<void>;
}

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const NODE_PORTS = { first: 30000, last: 32767 };

/** Events and Leases may be lost at a power cut: they are written all the time and made anew soon. */
const isVolatile = (key: string): boolean =>
  key.startsWith("/registry/core/events/") ||
  key.startsWith("/registry/coordination.k8s.io/leases/");

/** Puts the API server together from its parts and starts it. */
export async function composeServer(
  settings: ServerSettings,
  clock: Clock,
  random: Random,
  logger: Logger,
): Promise<ComposedServer> {
  const { data, listen, advertise, serviceCidr } = settings;
  const pki = ensurePki(join(data, "pki"), pkiSpecOf(settings), { now: clock.now(), random });
  const store = await openLmdbStore({ folder: join(data, "store"), isVolatile });
  const schemas = loadSchemas();
  const key = loadSigningKey(pki.serviceAccountKeyPem);
  const apiAudiences = [ISSUER];
  let parts: Guards | undefined;
  const guards = (server: ApiServer): Guards => (parts ??= guardsOf(server, key, clock));
  const api = await startApiServer({
    store,
    clock,
    random,
    logger,
    schemas,
    openApi: new OpenApi(new Definitions(settings.readDefinitions), schemas),
    resources: catalog,
    authenticators: (server) => [guards(server).authenticator],
    authorizers: (server) => [guards(server).authorizer],
    admission: (server) => {
      const { cache, rules, authorizer } = guards(server);
      return [
        new NamespaceLifecycle(cache),
        new ServiceAccountAdmission(cache, clock, random),
        new NodeRestriction(cache),
        new Priority(cache),
        new EscalationCheck(rules, authorizer),
      ];
    },
    reviews: (server) => reviewHandlers({ ...guards(server), apiAudiences }),
    subresources: (server) => {
      const options = { issuer: ISSUER, key, apiAudiences };
      return [accountToken(new TokenIssuer(options, guards(server).cache, clock, random))];
    },
    services: { serviceCidr, nodePorts: NODE_PORTS },
    advertised: { address: advertise.host, port: advertise.port },
    version: versionDocument(settings.build),
    http: {
      listen,
      key: pki.leaves.server.keyPem,
      cert: pki.leaves.server.certificatePem,
      clientCa: pki.ca.certificatePem,
    },
  });
  const { cache } = guards(api);
  await writePolicy(api, cache);
  const close = async (): Promise<void> => {
    cache.close();
    await api.close();
    await store.close();
  };
  return { api, store, cache, close };
}

/** Brings the default roles and bindings up to date. */
async function writePolicy(api: ApiServer, cache: InProcessCache): Promise<void> {
  const client = inProcessClient(api.parts, SYSTEM_USER);
  const write = async ({ verb, kind, object }: PolicyWrite): Promise<void> => {
    if (verb === "recreate") await client.delete(kind, keyOf(object));
    if (verb === "update") await client.update(kind, object);
    else await client.create(kind, object);
  };
  // Together: they become one commit on disk instead of a hundred.
  await Promise.all(reconcilePolicy(cache).map(write));
}

/** Who may do what, from one cache. */
interface Guards {
  readonly cache: InProcessCache;
  readonly authenticator: RequestAuthenticator;
  readonly rules: RbacRules;
  readonly authorizer: AuthorizerChain;
}

function guardsOf(server: ApiServer, key: ReturnType<typeof loadSigningKey>, clock: Clock): Guards {
  const cache = new InProcessCache(server.parts);
  const apiAudiences = [ISSUER];
  const verifier = new TokenVerifier({ issuer: ISSUER, keys: [key], apiAudiences }, cache, clock);
  const rules = new RbacRules(cache);
  return {
    cache,
    authenticator: new RequestAuthenticator(verifier, cache, clock, apiAudiences),
    rules,
    authorizer: new AuthorizerChain([new NodeAuthorizer(cache), new RbacAuthorizer(rules)]),
  };
}

function pkiSpecOf({ listen, advertise, serviceCidr }: ServerSettings): {
  serviceIps: string[];
  addresses: string[];
  extraDnsNames: string[];
  clusterDomain: string;
} {
  const range = parseRange(serviceCidr);
  return {
    serviceIps: range ? [formatAddress(range.base + 1)] : [],
    addresses: [...new Set([...listen, advertise].map(({ host }) => host))],
    extraDnsNames: [],
    clusterDomain: "cluster.local",
  };
}
