import { type Clock, formatTime } from "../../base/clock.ts";
import { type Random, uuid } from "../../base/random.ts";
import { type FieldError, invalid as invalidField } from "../../api/machinery/field-error.ts";
import type { ObjectKey } from "../../api/machinery/object.ts";
import type { CacheReader } from "../../client/cache.ts";
import type {
  AuthenticationV1TokenRequest as TokenRequest,
  V1BoundObjectReference,
  V1Pod,
  V1ServiceAccount,
} from "../../gen/types.ts";
import { cached } from "./cached-kinds.ts";
import { badRequest, conflict, invalid, notFound } from "../../api/machinery/status-errors.ts";
import { type BoundReference, serviceAccountUserName, type TokenClaims } from "./token-claims.ts";
import { type SigningKey, signToken } from "./token-signature.ts";

/** What a token lives when the request does not say. @spec k8s@1.36 pkg/apis/authentication/v1 defaults */
const DEFAULT_LIFE_SECONDS = 3600;

/** Shorter ones would be renewed without end by kubelets. */
const LIFE_SECONDS_MIN = 600;

const LIFE_SECONDS_MAX = 2 ** 32;

/** The life that the ServiceAccount admission plugin asks for: the mark of a token that may be extended. */
export const INJECTED_LIFE_SECONDS = 3607;

/**
 * What an injected token really lives, for clients that read it once and never again; `warnafter` keeps the asked-for
 * life. @spec k8s@1.36 --service-account-extend-token-expiration
 */
const EXTENDED_LIFE_SECONDS = 365 * 24 * 3600;

export interface TokenIssuerOptions {
  readonly issuer: string;
  readonly key: SigningKey;
  /** Audiences of a request that names none. */
  readonly apiAudiences: readonly string[];
}

/**
 * Answers `POST …/serviceaccounts/NAME/token`.
 *
 * @spec k8s@1.36 pkg/registry/core/serviceaccount/storage/token.go
 */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;
  readonly #cache: CacheReader;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: TokenIssuerOptions, cache: CacheReader, clock: Clock, random: Random) {
    this.#options = options;
    this.#cache = cache;
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws {StatusError} NotFound, Invalid, BadRequest, Conflict. */
  create(key: ObjectKey, request: TokenRequest, isDryRun = false): TokenRequest {
    const refused = checkBody(key, request);
    if (refused) throw invalidRequest(key.name, refused);
    const account = this.#cache.get(cached.serviceAccount, key);
    if (!account) throw notFound(cached.serviceAccount, key.name);
    const lifeSeconds = request.spec?.expirationSeconds ?? DEFAULT_LIFE_SECONDS;
    const audiences = request.spec?.audiences?.length
      ? request.spec.audiences
      : this.#options.apiAudiences;
    const bound = this.#bind(account, request.spec?.boundObjectRef);
    const claims = this.#claims(account, bound, audiences, lifeSeconds);
    const expiration = formatTime((claims.iat + lifeSeconds) * 1000);
    return {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { ...request.metadata, name: key.name, namespace: key.namespace },
      spec: { ...request.spec, audiences, expirationSeconds: lifeSeconds },
      status: {
        token: isDryRun ? "" : signToken(claims, this.#options.key),
        expirationTimestamp: expiration,
      },
    };
  }

  #claims(
    account: V1ServiceAccount,
    bound: Bound,
    audiences: readonly string[],
    lifeSeconds: number,
  ): TokenClaims {
    const { name = "", namespace = "", uid = "" } = account.metadata ?? {};
    const now = Math.floor(this.#clock.now() / 1000);
    const isExtended =
      bound.pod !== undefined &&
      lifeSeconds === INJECTED_LIFE_SECONDS &&
      audiences.every((audience) => this.#options.apiAudiences.includes(audience));
    return {
      aud: audiences,
      exp: now + (isExtended ? EXTENDED_LIFE_SECONDS : lifeSeconds),
      iat: now,
      iss: this.#options.issuer,
      jti: uuid(this.#random),
      "kubernetes.io": {
        namespace,
        ...bound,
        serviceaccount: { name, uid },
        ...(isExtended ? { warnafter: now + lifeSeconds } : {}),
      },
      nbf: now,
      sub: serviceAccountUserName(namespace, name),
    };
  }

  #bind(account: V1ServiceAccount, reference: V1BoundObjectReference | undefined): Bound {
    if (!reference) return {};
    const namespace = account.metadata?.namespace ?? "";
    const key = { namespace, name: reference.name ?? "" };
    switch (`${reference.apiVersion ?? ""} ${reference.kind ?? ""}`) {
      case "v1 Pod": {
        const pod = this.#cache.get(cached.pod, key);
        return this.#bindPod(account, reference, pod);
      }
      case "v1 Secret": {
        const secret = this.#cache.get(cached.secret, key);
        return { secret: referenceTo(reference, "secrets", secret?.metadata) };
      }
      case "v1 Node": {
        const node = this.#cache.get(cached.node, { namespace: "", name: key.name });
        return { node: referenceTo(reference, "nodes", node?.metadata) };
      }
      default:
        throw badRequest(`cannot bind token to object of type ${groupVersionKind(reference)}`);
    }
  }

  #bindPod(
    account: V1ServiceAccount,
    reference: V1BoundObjectReference,
    pod: V1Pod | undefined,
  ): Bound {
    if (pod && pod.spec?.serviceAccountName !== account.metadata?.name)
      throw badRequest(
        `cannot bind token for serviceaccount "${account.metadata?.name}" ` +
          `to pod running with different serviceaccount name.`,
      );
    const bound = { pod: referenceTo(reference, "pods", pod?.metadata) };
    const name = pod?.spec?.nodeName;
    if (!name) return bound;
    const uid = this.#cache.get(cached.node, { namespace: "", name })?.metadata?.uid;
    return { node: { name, ...(uid ? { uid } : {}) }, ...bound };
  }
}

interface Bound {
  readonly pod?: BoundReference;
  readonly secret?: BoundReference;
  readonly node?: BoundReference;
}

function checkBody(key: ObjectKey, { metadata, spec }: TokenRequest): FieldError | undefined {
  const must = (field: "name" | "namespace"): FieldError | undefined =>
    metadata?.[field] && metadata[field] !== key[field]
      ? invalidField(
          `metadata.${field}`,
          metadata[field],
          `must match the service account ${field} if specified`,
        )
      : undefined;
  const seconds = spec?.expirationSeconds ?? DEFAULT_LIFE_SECONDS;
  const life = (detail: string): FieldError =>
    invalidField("spec.expirationSeconds", seconds, detail);
  if (must("name") ?? must("namespace")) return must("name") ?? must("namespace");
  if (seconds < LIFE_SECONDS_MIN) return life("may not specify a duration less than 10 minutes");
  if (seconds > LIFE_SECONDS_MAX)
    return life("may not specify a duration larger than 2^32 seconds");
  return undefined;
}

function referenceTo(
  reference: V1BoundObjectReference,
  plural: string,
  found: { readonly name?: string; readonly uid?: string } | undefined,
): BoundReference {
  const name = reference.name ?? "";
  if (!found) throw notFound({ group: "", plural }, name);
  if (reference.uid && reference.uid !== found.uid)
    throw conflict(
      { group: "", plural: reference.kind ?? "" },
      name,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. ` +
        `The object might have been deleted and then recreated`,
    );
  return { name, uid: found.uid ?? "" };
}

/** @spec k8s@1.36 apimachinery runtime/schema GroupVersionKind.String */
function groupVersionKind({ apiVersion = "", kind = "" }: V1BoundObjectReference): string {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return `${group}/${version}, Kind=${kind}`;
}

function invalidRequest(name: string, error: FieldError): Error {
  return invalid({ group: "authentication.k8s.io", kind: "TokenRequest", name, errors: [error] });
}
