import { type Clock } from "../../base/clock.ts";
import { nameSuffix, type Random } from "../../base/random.ts";
import { isSmall } from "../../base/is-small.ts";
import { Recent } from "../../base/recent.ts";
import { Pod } from "../../api/core/pod.ts";
import { SPECS_MAX } from "../../api/core/pod-specs.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { formatKey, type ObjectKey } from "../../api/machinery/object.ts";
import type { Cache, CacheReader } from "../../client/cache.ts";
import type { V1Container, V1PodSpec, V1Volume } from "../../gen/types.ts";
import { INJECTED_LIFE_SECONDS } from "../authn/token-request.ts";
import { MIRROR_ANNOTATION, podReferences, projections } from "../authz/pod-references.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { limitDebuggers, limitPod } from "./mountable-secrets.ts";
import { isAbout, refuse } from "./refusal.ts";

const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";

/** Readable by all users of the container: which one it runs as is not known here. */
const FILE_MODE = 0o644;

/**
 * How long a Pod's creation waits for its account: the controller makes `default` a moment after the namespace.
 * Upstream looks up to ten times, 100–200 ms apart. Doubling only makes a wrong name's refusal slower.
 */
const ACCOUNT_WAIT_MS = 1500;

/**
 * Gives each new Pod its account, the account's token as a volume, and the account's pull secrets.
 *
 * @spec k8s@1.36 plugin/pkg/admission/serviceaccount/admission.go
 */
export class ServiceAccountAdmission implements AdmissionPlugin {
  readonly name = "ServiceAccount";
  readonly #cache: CacheReader;
  readonly #clock: Clock;
  readonly #random: Random;
  /** What came of the specs seen last, and for which version of the account: pods of one template share their spec. */
  readonly #made = new Recent<V1PodSpec, { account: ServiceAccount; spec: V1PodSpec }>(SPECS_MAX);
  /** Who waits for which account. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(cache: CacheReader & Pick<Cache, "onChange">, clock: Clock, random: Random) {
    this.#cache = cache;
    this.#clock = clock;
    this.#random = random;
    cache.onChange(ServiceAccount, ({ key, object }) => {
      if (object) for (const wake of this.#waiting.get(formatKey(key)) ?? []) wake();
    });
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "CREATE" ? isAbout(call, "pods") : isDebugging(call);
  }

  /** Waits at most ACCOUNT_WAIT_MS for the default account of a young namespace. */
  prepare(call: AdmissionCall): Promise<void> | undefined {
    const pod = call.object as Pod;
    const key = { namespace: call.info.namespace, name: accountName(pod) };
    if (isMirror(pod) || key.name !== "default" || this.#cache.get(ServiceAccount, key))
      return undefined;
    return this.#accountArrives(key);
  }

  admit(call: AdmissionCall): Pod | undefined {
    const pod = call.object as Pod;
    if (isDebugging(call) || isMirror(pod)) return undefined;
    const account = this.#account(call, pod);
    const known = this.#made.get(pod.spec!);
    if (known?.account === account) return { ...pod, spec: known.spec };
    const spec = this.#withAccount(pod.spec!, accountName(pod), account);
    if (isSmall(pod.spec)) this.#made.set(pod.spec!, { account, spec });
    return { ...pod, spec };
  }

  #withAccount(given: V1PodSpec, name: string, account: ServiceAccount): V1PodSpec {
    const named = { ...given, serviceAccountName: name, serviceAccount: name };
    const isMounted =
      named.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    const mounted = isMounted ? this.#withToken(named) : named;
    const secrets = account.imagePullSecrets ?? [];
    const isPulling = !mounted.imagePullSecrets?.length && secrets.length > 0;
    return isPulling ? { ...mounted, imagePullSecrets: secrets } : mounted;
  }

  validate(call: AdmissionCall): void {
    const pod = call.object as Pod;
    if (isMirror(pod)) return validateMirror(call, pod);
    const limits = isDebugging(call) ? limitDebuggers : limitPod;
    limits(call, pod, this.#account(call, pod));
  }

  #account(call: AdmissionCall, pod: Pod): ServiceAccount {
    const { namespace } = call.info;
    const name = accountName(pod);
    const account = this.#cache.get(ServiceAccount, { namespace, name });
    if (account) return account;
    const missing = `serviceaccount ${JSON.stringify(name)} not found`;
    throw refuse(call, `error looking up service account ${namespace}/${name}: ${missing}`);
  }

  #withToken(spec: V1PodSpec): V1PodSpec {
    const volumes = spec.volumes ?? [];
    const known = volumes.find(({ name = "" }) => name.startsWith(VOLUME_PREFIX));
    const name = known?.name ?? `${VOLUME_PREFIX}${nameSuffix(this.#random, 5)}`;
    // Not validated yet: even what is required may be missing.
    const { containers = [] as V1Container[] } = spec;
    const all = [...(spec.initContainers ?? []), ...containers];
    if (!all.some(needsToken)) return spec;
    return {
      ...spec,
      containers: containers.map((container) => withMount(container, name)),
      ...(spec.initContainers
        ? { initContainers: spec.initContainers.map((container) => withMount(container, name)) }
        : {}),
      volumes: known ? volumes : [...volumes, tokenVolume(name)],
    };
  }

  #accountArrives(key: ObjectKey): Promise<void> {
    return new Promise((resolve) => {
      const text = formatKey(key);
      const waiting = this.#waiting.get(text) ?? new Set();
      this.#waiting.set(text, waiting);
      const wake = (): void => {
        timer.cancel();
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(text);
        resolve();
      };
      const timer = this.#clock.after(ACCOUNT_WAIT_MS, wake);
      waiting.add(wake);
    });
  }
}

/** Containers that are added to a Pod that runs; not in an update of the Pod itself. */
function isDebugging(call: AdmissionCall): boolean {
  return call.operation === "UPDATE" && isAbout(call, "pods", "ephemeralcontainers");
}

function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

function accountName({ spec }: Pod): string {
  return spec?.serviceAccountName || spec?.serviceAccount || "default";
}

/** A mount at the token's path, of whatever, keeps ours away. */
function needsToken({ volumeMounts }: V1Container): boolean {
  return !volumeMounts?.some((mount) => mount.mountPath === MOUNT_PATH);
}

function withMount(container: V1Container, name: string): V1Container {
  if (!needsToken(container)) return container;
  const mount = { name, readOnly: true, mountPath: MOUNT_PATH };
  return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
}

function tokenVolume(name: string): V1Volume {
  const namespace = { apiVersion: "v1", fieldPath: "metadata.namespace" };
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: INJECTED_LIFE_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef: namespace }] } },
      ],
      defaultMode: FILE_MODE,
    },
  };
}

function validateMirror(call: AdmissionCall, pod: Pod): void {
  if (pod.spec?.serviceAccountName)
    throw refuse(call, "a mirror pod may not reference service accounts");
  if (podReferences(pod).secrets.size > 0)
    throw refuse(call, "a mirror pod may not reference secrets");
  if (projections(pod.spec?.volumes ?? []).some((source) => source.serviceAccountToken))
    throw refuse(call, "a mirror pod may not use ServiceAccountToken volume projections");
}
