import type { Clock } from "../../base/clock.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { ApiRequest, UserInfo } from "../request.ts";
import type { Authenticator } from "./authenticator.ts";
import { bootstrapUser, isBootstrapToken } from "./bootstrap-token.ts";
import { unauthorized } from "../../api/machinery/status-errors.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** A token among the protocols that a browser's WebSocket offers. @spec k8s@1.36 apiserver authentication/request/websocket */
const WEBSOCKET_PREFIX = "base64url.bearer.authorization.k8s.io.";

/** A token that holds for some of the audiences that were asked for. */
export interface AuthenticatedToken {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

/**
 * Client certificates, then bearer tokens: service-account tokens and bootstrap tokens. Never waits.
 *
 * The same certificate or token gives the same `UserInfo` object, so that decisions can be remembered by it.
 */
export class RequestAuthenticator implements Authenticator {
  readonly #verifier: TokenVerifier;
  readonly #cache: CacheReader;
  readonly #clock: Clock;
  readonly #apiAudiences: readonly string[];
  readonly #certificateUsers = new WeakMap<object, UserInfo>();
  /** By connection: the last header, and the token in it. */
  readonly #lastTokens = new WeakMap<object, { header: string; token: string | undefined }>();

  constructor(
    verifier: TokenVerifier,
    cache: CacheReader,
    clock: Clock,
    apiAudiences: readonly string[],
  ) {
    this.#verifier = verifier;
    this.#cache = cache;
    this.#clock = clock;
    this.#apiAudiences = apiAudiences;
  }

  /** @throws {StatusError} Unauthorized. */
  authenticate(request: ApiRequest): UserInfo | undefined {
    const byCertificate = request.certificate && this.#certificateUser(request.certificate);
    if (byCertificate) return byCertificate;
    const token = this.#tokenOf(request);
    if (token === undefined) return undefined;
    const found = this.#tokenUser(token);
    if (!found?.audiences.some((audience) => this.#apiAudiences.includes(audience)))
      throw unauthorized();
    return found.user;
  }

  /** The same text for all requests of a connection that bring the same: comparing is cheaper than hashing anew. */
  #tokenOf(request: ApiRequest): string | undefined {
    const header = request.headers["authorization"];
    const { connection } = request;
    if (!connection || header === undefined) return bearerToken(request);
    const last = this.#lastTokens.get(connection);
    if (last?.header === header) return last.token;
    const token = bearerToken(request);
    this.#lastTokens.set(connection, { header, token });
    return token;
  }

  /** Whose token this is, if it is meant for one of `audiences`; what TokenReview asks. */
  authenticateToken(token: string, audiences: readonly string[]): AuthenticatedToken | undefined {
    const found = this.#tokenUser(token);
    const common = found?.audiences.filter((audience) => audiences.includes(audience)) ?? [];
    return found && common.length > 0 ? { user: found.user, audiences: common } : undefined;
  }

  #tokenUser(token: string): AuthenticatedToken | undefined {
    if (!isBootstrapToken(token)) return this.#verifier.verify(token);
    const user = bootstrapUser(token, this.#cache, this.#clock.now());
    return user && { user, audiences: this.#apiAudiences };
  }

  #certificateUser(certificate: NonNullable<ApiRequest["certificate"]>): UserInfo | undefined {
    if (certificate.commonName === "") return undefined;
    const known = this.#certificateUsers.get(certificate);
    if (known) return known;
    const user = {
      name: certificate.commonName,
      groups: [...certificate.organizations, "system:authenticated"],
    };
    this.#certificateUsers.set(certificate, user);
    return user;
  }
}

/** `undefined`: no bearer token; "" is one that never holds. */
function bearerToken({ headers }: ApiRequest): string | undefined {
  const header = headers["authorization"];
  if (header !== undefined) {
    const [, token] = /^bearer +(\S+) *$/i.exec(header) ?? [];
    return token;
  }
  const protocol = headers["sec-websocket-protocol"]
    ?.split(",")
    .map((text) => text.trim())
    .find((text) => text.startsWith(WEBSOCKET_PREFIX));
  return (
    protocol && Buffer.from(protocol.slice(WEBSOCKET_PREFIX.length), "base64url").toString("utf8")
  );
}
