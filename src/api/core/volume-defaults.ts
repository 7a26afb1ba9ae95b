import type { V1DownwardAPIVolumeFile, V1Volume, V1VolumeProjection } from "../../gen/types.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";
import { pullPolicyOf } from "./container-defaults.ts";

/** Mode of the files of configMap, secret, downwardAPI and projected volumes: rw-r--r--. */
const FILE_MODE = 0o644;

/** How long a projected token lives when nobody says. The kubelet renews it at 80 %. */
const TOKEN_SECONDS = 3600;

type Defaults = {
  readonly [K in keyof V1Volume]?: (source: NonNullable<V1Volume[K]>) => V1Volume[K];
};

/** By volume source. @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_…VolumeSource */
const SOURCE_DEFAULTS: Defaults = {
  secret: (source) => fill(source, { defaultMode: FILE_MODE }),
  configMap: (source) => fill(source, { defaultMode: FILE_MODE }),
  downwardAPI: (source) =>
    mapField(fill(source, { defaultMode: FILE_MODE }), "items", (items) =>
      mapItems(items, withFileDefaults),
    ),
  projected: (source) =>
    mapField(fill(source, { defaultMode: FILE_MODE }), "sources", (sources) =>
      mapItems(sources, withProjectionDefaults),
    ),
  hostPath: (source) => fill(source, { type: "" }),
  iscsi: (source) => fill(source, { iscsiInterface: "default" }),
  rbd: (source) => fill(source, { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" }),
  azureDisk: (source) =>
    fill(source, { cachingMode: "ReadWrite", kind: "Shared", fsType: "ext4", readOnly: false }),
  scaleIO: (source) => fill(source, { storageMode: "ThinProvisioned", fsType: "xfs" }),
  image: (source) => fill(source, { pullPolicy: pullPolicyOf(source.reference ?? "") }),
  ephemeral: (source) =>
    mapField(source, "volumeClaimTemplate", (template) =>
      mapField(template, "spec", (spec) => fill(spec, { volumeMode: "Filesystem" })),
    ),
};

/** Defaults of one volume; without any source it is an empty directory. */
export function withVolumeDefaults(volume: V1Volume): V1Volume {
  const sources = (Object.keys(volume) as (keyof V1Volume)[]).filter(
    (field) => field !== "name" && volume[field] !== undefined,
  );
  if (sources.length === 0) return { ...volume, emptyDir: {} };
  return sources.reduce(
    (result, field) =>
      field in SOURCE_DEFAULTS
        ? mapField(result, field, SOURCE_DEFAULTS[field] as (source: unknown) => never)
        : result,
    volume,
  );
}

function withProjectionDefaults(projection: V1VolumeProjection): V1VolumeProjection {
  const token = mapField(projection, "serviceAccountToken", (source) =>
    fill(source, { expirationSeconds: TOKEN_SECONDS }),
  );
  return mapField(token, "downwardAPI", (source) =>
    mapField(source, "items", (items) => mapItems(items, withFileDefaults)),
  );
}

function withFileDefaults(file: V1DownwardAPIVolumeFile): V1DownwardAPIVolumeFile {
  const field = mapField(file, "fieldRef", (ref) => fill(ref, { apiVersion: "v1" }));
  return mapField(field, "resourceFieldRef", (ref) => fill(ref, { divisor: "0" }));
}
