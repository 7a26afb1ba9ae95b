import type { V1Pod } from "../../gen/types.ts";
import { allContainers } from "../runtime/pod-spec.ts";

/** One ConfigMap or Secret of the Pod's namespace that it reads. */
export interface Reference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
}

/** Every object that a Pod's containers, volumes and pulls read, once each. */
export function referencesOf(pod: V1Pod): readonly Reference[] {
  const found = new Map<string, Reference>();
  const add = (kind: Reference["kind"], name: string | undefined): void => {
    if (name) found.set(`${kind} ${name}`, { kind, name });
  };
  for (const { name } of pod.spec?.imagePullSecrets ?? []) add("Secret", name);
  for (const { env, envFrom } of allContainers(pod)) {
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      add("ConfigMap", configMapRef?.name);
      add("Secret", secretRef?.name);
    }
    for (const { valueFrom } of env ?? []) {
      add("ConfigMap", valueFrom?.configMapKeyRef?.name);
      add("Secret", valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    add("ConfigMap", configMap?.name);
    add("Secret", secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add("ConfigMap", source.configMap?.name);
      add("Secret", source.secret?.name);
    }
  }
  return [...found.values()];
}

/** True when files of the Pod show its own labels, annotations or resources. */
export function showsOwnFields({ spec }: V1Pod): boolean {
  return (spec?.volumes ?? []).some(
    ({ downwardAPI, projected }) =>
      downwardAPI !== undefined ||
      projected?.sources?.some((source) => source.downwardAPI !== undefined),
  );
}
