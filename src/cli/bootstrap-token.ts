import { formatTime, type Instant } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { V1Secret } from "../gen/types.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Characters of the public and of the secret part. @spec bootstrap token format, `[a-z0-9]{6}\.[a-z0-9]{16}` */
const ID_LENGTH = 6;
const SECRET_LENGTH = 16;

/** What a joining machine is, besides `system:bootstrappers`: the group that may ask for a node's certificate. */
const EXTRA_GROUP = "system:bootstrappers:skiff:default-node-token";

/** A new join token and the Secret that makes it hold. */
export interface JoinToken {
  readonly token: string;
  readonly secret: V1Secret;
}

/**
 * Makes a join token. `expiresAt` absent: it never ends.
 *
 * @spec k8s@1.36 staging/src/k8s.io/cluster-bootstrap/token/api
 */
export function newJoinToken(random: Random, expiresAt: Instant | undefined): JoinToken {
  const part = (length: number): string =>
    Array.from({ length }, () => ALPHABET[random.integer(ALPHABET.length)]).join("");
  const id = part(ID_LENGTH);
  const secretPart = part(SECRET_LENGTH);
  return {
    token: `${id}.${secretPart}`,
    secret: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
      type: "bootstrap.kubernetes.io/token",
      stringData: {
        "token-id": id,
        "token-secret": secretPart,
        ...(expiresAt === undefined ? {} : { expiration: formatTime(expiresAt) }),
        "auth-extra-groups": EXTRA_GROUP,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
      },
    },
  };
}

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds of a duration such as `24h`, `1h30m` or `0`; `undefined`: it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d{1,7}h)?(\d{1,7}m)?(\d{1,7}s)?$/.test(text) || text === "") return undefined;
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS],
    0,
  );
}
