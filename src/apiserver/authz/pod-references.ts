import type { V1Container, V1PersistentVolume, V1Pod, V1Volume } from "../../gen/types.ts";

/** What a Pod names in its own namespace, and what its node must therefore read. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
}

/** Marks a Pod that stands for one which a node runs from its own files. */
export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** @spec k8s@1.36 pkg/api/v1/pod VisitPodSecretNames, VisitPodConfigmapNames */
export function podReferences(pod: V1Pod): PodReferences {
  const { spec } = pod;
  const containers: readonly Pick<V1Container, "env" | "envFrom">[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const env = containers.flatMap((container) => container.env ?? []);
  const envFrom = containers.flatMap((container) => container.envFrom ?? []);
  const volumes = spec?.volumes ?? [];
  return {
    secrets: names([
      ...(spec?.imagePullSecrets ?? []).map(({ name }) => name),
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
      ...volumes.flatMap(volumeSecrets),
    ]),
    configMaps: names([
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
      ...volumes.map(({ configMap }) => configMap?.name),
      ...projections(volumes).map(({ configMap }) => configMap?.name),
    ]),
    claims: names(
      volumes.map(({ name, persistentVolumeClaim, ephemeral }) =>
        ephemeral ? `${pod.metadata?.name}-${name}` : persistentVolumeClaim?.claimName,
      ),
    ),
  };
}

/** Secrets that a node reads to mount a volume, by namespace. @spec k8s@1.36 pkg/api/v1/persistentvolume VisitPVSecretNames */
export function volumeSecretKeys(
  volume: V1PersistentVolume,
): readonly { readonly namespace: string; readonly name: string }[] {
  const claimNamespace = volume.spec?.claimRef?.namespace ?? "";
  const { csi, azureFile, cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos } =
    volume.spec ?? {};
  const references = [
    ...[csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef],
    ...[cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos].map((one) => one?.secretRef),
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
  ];
  return references.flatMap((one) =>
    one?.name ? [{ namespace: one.namespace || claimNamespace, name: one.name }] : [],
  );
}

/** `volumes[*].projected.sources[*]` */
export function projections(volumes: readonly V1Volume[]) {
  return volumes.flatMap((volume) => volume.projected?.sources ?? []);
}

function volumeSecrets(volume: V1Volume): readonly (string | undefined)[] {
  const { cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  return [
    volume.secret?.secretName,
    volume.azureFile?.secretName,
    volume.csi?.nodePublishSecretRef?.name,
    ...[cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos].map((v) => v?.secretRef?.name),
    ...projections([volume]).map(({ secret }) => secret?.name),
  ];
}

function names(all: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(all.filter((name): name is string => name !== undefined && name !== ""));
}
