import { ConfigMap } from "../../api/core/config-map.ts";
import { Pod } from "../../api/core/pod.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import type { CacheReader } from "../../client/cache.ts";
import { defineController, type Plan, type PlannedWrite } from "../../reconciler/controller.ts";
import { isBeingDeleted, reads } from "../../reconciler/ownership.ts";

const TOKEN_TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

/** Where it stands since when uses are noted. @spec k8s@1.36 pkg/controlplane/controller/legacytokentracking */
const TRACKING = {
  namespace: "kube-system",
  name: "kube-apiserver-legacy-service-account-token-tracking",
};

const DAY_MS = 86_400_000;

/** A token that is not used for so long is unused. @spec --legacy-service-account-token-clean-up-period. Doubling doubles what a forgotten token is worth. */
const UNUSED_MS = 365 * DAY_MS;

/**
 * `trackedSince`: the day since which uses are noted. `isReferenced`: its account names it, as those that are made by
 * itself are. `isMounted`: whether a Pod reads it; asked last, since it looks at all Pods of the namespace, and for most tokens not at all.
 */
export interface Observed {
  readonly secret: Secret;
  readonly trackedSince: string | undefined;
  readonly isReferenced: boolean;
  readonly isMounted: () => boolean;
}

/** @spec k8s@1.36 pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go evaluateSATokens */
export const legacyTokenCleaner = defineController<Secret, Observed>({
  name: "legacy-serviceaccount-token-cleaner-controller",
  primary: Secret,
  triggers: [reads(ServiceAccount), reads(Pod), reads(ConfigMap)],
  observe(cache, key) {
    const secret = cache.get(Secret, key);
    if (!secret || secret.type !== TOKEN_TYPE) return undefined;
    const { namespace, name } = key;
    const isReading = (pod: Pod): boolean => secretsOf(pod).includes(name);
    return {
      secret,
      trackedSince: cache.get(ConfigMap, TRACKING)?.data?.["since"],
      isReferenced: isReferenced(cache, secret),
      isMounted: () => cache.list(Pod, { namespace, where: isReading }).length > 0,
    };
  },
  plan,
});

/** Pure; see {@link legacyTokenCleaner}. */
export function plan(observed: Observed, now: Instant): Plan {
  const write = writeFor(observed, now);
  return { ...(write && { writes: [write] }), wakeAt: now + DAY_MS };
}

function writeFor(observed: Observed, now: Instant): PlannedWrite | undefined {
  const { secret, trackedSince, isReferenced, isMounted } = observed;
  const { labels = {}, uid = "", creationTimestamp = "", resourceVersion } = secret.metadata ?? {};
  const longAgo = now - UNUSED_MS;
  // The day on which noting began counts in full only from the next.
  const tracked = parseDay(trackedSince) + DAY_MS;
  const isOld = tracked <= longAgo && parseTime(creationTimestamp) < longAgo;
  const isUsed = (labels[LAST_USED] ?? "") >= dayOf(longAgo);
  if (!isOld || isUsed || !isReferenced || isBeingDeleted(secret)) return undefined;
  if (isMounted()) return undefined;
  const invalidSince = labels[INVALID_SINCE];
  const key = keyOf(secret);
  if (Number.isNaN(parseDay(invalidSince))) {
    const patch = { metadata: { labels: { [INVALID_SINCE]: dayOf(now) } } };
    return { verb: "patch", kind: Secret, key, ifUid: uid, patch };
  }
  if (invalidSince! >= dayOf(longAgo)) return undefined;
  return {
    verb: "delete",
    kind: Secret,
    key,
    ifUid: uid,
    ...(resourceVersion !== undefined && { ifResourceVersion: resourceVersion }),
  };
}

function isReferenced(cache: CacheReader, { metadata }: Secret): boolean {
  const { annotations = {}, namespace = "", name } = metadata ?? {};
  const account = cache.get(ServiceAccount, { namespace, name: annotations[ACCOUNT_NAME] ?? "" });
  const uid = annotations[ACCOUNT_UID];
  if (!account || (uid && uid !== account.metadata?.uid)) return false;
  return account.secrets?.some((reference) => reference.name === name) ?? false;
}

/** The Secrets that a Pod reads, in whatever way. @spec k8s@1.36 pkg/api/v1/pod VisitPodSecretNames */
function secretsOf({ spec }: Pod): readonly string[] {
  const { containers = [], initContainers = [], volumes = [], imagePullSecrets = [] } = spec ?? {};
  const all = [...containers, ...initContainers, ...(spec?.ephemeralContainers ?? [])];
  const names = [
    ...imagePullSecrets.map(({ name }) => name),
    ...all.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...volumes.flatMap(({ secret, projected, csi }) => [
      secret?.secretName,
      csi?.nodePublishSecretRef?.name,
      ...(projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
  ];
  return names.filter((name) => name !== undefined);
}

/** Midnight of a day that text names; `NaN`: none. */
function parseDay(text: string | undefined): Instant {
  return /^\d{4}-\d\d-\d\d$/.test(text ?? "") ? parseTime(`${text}T00:00:00Z`) : Number.NaN;
}

function dayOf(time: Instant): string {
  return formatTime(time).slice(0, 10);
}
