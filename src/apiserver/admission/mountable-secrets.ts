import type { Pod } from "../../api/core/pod.ts";
import type { ServiceAccount } from "../../api/core/service-account.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { V1Container } from "../../gen/types.ts";
import type { AdmissionCall } from "../request.ts";
import { refuse } from "./refusal.ts";

/**
 * Accounts that list which Secrets their Pods may name.
 *
 * @spec k8s@1.36 plugin/pkg/admission/serviceaccount/admission.go limitSecretReferences, limitEphemeralContainerSecretReferences
 *       (CVE-2023-2728, CVE-2024-3177)
 */
const ENFORCE_SECRETS = "kubernetes.io/enforce-mountable-secrets";

type References = Pick<V1Container, "name" | "env" | "envFrom">;

/** Secrets of a new Pod. @throws {StatusError} Forbidden */
export function limitPod(call: AdmissionCall, pod: Pod, account: ServiceAccount): void {
  if (!isLimited(account)) return;
  const owner = keyOf(account).name;
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name));
  for (const { secret } of pod.spec?.volumes ?? [])
    if (secret && !mountable.has(secret.secretName))
      throw refuse(call, `volume with ${notAllowed(secret.secretName, owner)}`);
  limitContainers(call, "init container", pod.spec?.initContainers ?? [], account);
  limitContainers(call, "container", pod.spec?.containers ?? [], account);
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  (pod.spec?.imagePullSecrets ?? []).forEach(({ name }, index) => {
    if (!pullable.has(name))
      throw refuse(
        call,
        `imagePullSecrets[${index}].name="${name}" is not allowed because ` +
          `service account ${owner} does not reference that imagePullSecret`,
      );
  });
}

/** Secrets of containers that are added for debugging. @throws {StatusError} Forbidden */
export function limitDebuggers(call: AdmissionCall, pod: Pod, account: ServiceAccount): void {
  if (!isLimited(account)) return;
  limitContainers(call, "ephemeral container", pod.spec?.ephemeralContainers ?? [], account);
}

function isLimited({ metadata }: ServiceAccount): boolean {
  return metadata?.annotations?.[ENFORCE_SECRETS] === "true";
}

function limitContainers(
  call: AdmissionCall,
  what: string,
  containers: readonly References[],
  account: ServiceAccount,
): void {
  const owner = keyOf(account).name;
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name));
  for (const container of containers) {
    for (const { name, valueFrom } of container.env ?? []) {
      const secret = valueFrom?.secretKeyRef?.name;
      if (secret !== undefined && !mountable.has(secret))
        throw refuse(
          call,
          `${what} ${container.name} with envVar ${name} referencing ${notAllowed(secret, owner)}`,
        );
    }
    for (const { secretRef } of container.envFrom ?? [])
      if (secretRef && !mountable.has(secretRef.name))
        throw refuse(
          call,
          `${what} ${container.name} with envFrom referencing ${notAllowed(secretRef.name, owner)}`,
        );
  }
}

function notAllowed(secret: string | undefined, owner: string): string {
  return `secret.secretName="${secret ?? ""}" is not allowed because service account ${owner} does not reference that secret`;
}
