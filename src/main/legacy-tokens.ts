import { ConfigMap } from "../api/core/config-map.ts";
import { Secret } from "../api/core/secret.ts";
import type { ObjectKey } from "../api/machinery/object.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import { formatTime, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Client } from "../client/client.ts";
import { LABEL_LAST_USED } from "../apiserver/authn/token-verifier.ts";

const TRACKING = {
  namespace: "kube-system",
  name: "kube-apiserver-legacy-service-account-token-tracking",
};

/** Writes on a Secret the day on which its token was used last. Never waits, never fails. */
export function lastUseMarker(
  client: () => Client,
  logger: Logger,
): (secret: ObjectKey, day: string) => void {
  return (secret, day) => {
    const body = { metadata: { labels: { [LABEL_LAST_USED]: day } } };
    client()
      .patch(Secret, secret, { type: "merge", body })
      .catch((error: unknown) =>
        logger.info("use of a token was not noted", { ...secret, error: String(error) }),
      );
  };
}

/**
 * Says since when uses of tokens in Secrets are noted: one without a note is unused since then.
 *
 * @spec k8s@1.36 pkg/controlplane/controller/legacytokentracking
 */
export async function ensureLegacyTokenTracking(client: Client, clock: Clock): Promise<void> {
  const object: ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: TRACKING,
    data: { since: formatTime(clock.now()).slice(0, 10) },
  };
  await client.create(ConfigMap, object).catch((error: unknown) => {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  });
}
