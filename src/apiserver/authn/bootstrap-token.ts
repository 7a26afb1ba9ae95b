import { timingSafeEqual } from "node:crypto";
import { type Instant, formatTime, parseTime } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { V1Secret } from "../../gen/types.ts";
import type { UserInfo } from "../request.ts";
import { cached } from "./cached-kinds.ts";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const TYPE = "bootstrap.kubernetes.io/token";
const GROUP = "system:bootstrappers";
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** True for text of a bootstrap token's form: no JWT has it. */
export function isBootstrapToken(token: string): boolean {
  return TOKEN.test(token);
}

/**
 * Whom a joining node's token stands for, as long as its Secret is there.
 *
 * @spec k8s@1.36 plugin/pkg/auth/authenticator/token/bootstrap
 */
export function bootstrapUser(
  token: string,
  cache: CacheReader,
  now: Instant,
): UserInfo | undefined {
  const [, id, secretPart] = TOKEN.exec(token) ?? [];
  if (!id || !secretPart) return undefined;
  const key = { namespace: "kube-system", name: `bootstrap-token-${id}` };
  const secret = cache.get(cached.secret, key);
  if (!secret || secret.metadata?.deletionTimestamp || secret.type !== TYPE) return undefined;
  const value = (name: string): string =>
    Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");
  const isRight =
    isSameText(value("token-secret"), secretPart) &&
    value("token-id") === id &&
    value("usage-bootstrap-authentication") === "true" &&
    isUnexpired(value("expiration"), now);
  if (!isRight) return undefined;
  const extra = value("auth-extra-groups").split(",").filter(Boolean);
  if (!extra.every((group) => EXTRA_GROUP.test(group))) return undefined;
  const groups = [...new Set([GROUP, ...extra])].sort();
  return { name: `system:bootstrap:${id}`, groups: [...groups, "system:authenticated"] };
}

/** A new token and the Secret that makes it hold, for `skiff token create`. */
export function newBootstrapToken(
  random: Random,
  options: {
    /** Absent: never ends. */
    readonly expiresAt?: Instant;
    readonly description?: string;
    readonly extraGroups?: readonly string[];
  },
): { readonly token: string; readonly secret: V1Secret } {
  const part = (length: number): string =>
    Array.from({ length }, () => ALPHABET[random.integer(ALPHABET.length)]).join("");
  const [id, secretPart] = [part(6), part(16)];
  const values = {
    ...(options.extraGroups?.length ? { "auth-extra-groups": options.extraGroups.join(",") } : {}),
    ...(options.description ? { description: options.description } : {}),
    ...(options.expiresAt === undefined ? {} : { expiration: formatTime(options.expiresAt) }),
    "token-id": id,
    "token-secret": secretPart,
    "usage-bootstrap-authentication": "true",
    "usage-bootstrap-signing": "true",
  };
  const data = Object.fromEntries(
    Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  return {
    token: `${id}.${secretPart}`,
    secret: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
      type: TYPE,
      data,
    },
  };
}

/** An expiration that cannot be read counts as passed. */
function isUnexpired(expiration: string, now: Instant): boolean {
  return expiration === "" || parseTime(expiration) > now;
}

function isSameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
