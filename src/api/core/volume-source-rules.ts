import type { V1Volume } from "../../gen/types.ts";
import { required } from "../machinery/field-error.ts";
import type { Errors } from "../strategy/checks.ts";

type Source = keyof Omit<V1Volume, "name">;
type Rule = (source: unknown, field: string) => Errors;

/** These fields must be there and not empty. */
function needs(...fields: readonly string[]): Rule {
  return (source, path) => {
    const given = source as Readonly<Record<string, unknown>>;
    return fields
      .filter((field) => isEmpty(given[field]))
      .map((field) => required(`${path}.${field}`));
  };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/**
 * Volumes of vendors and protocols that a node may or may not mount: stored when they are complete.
 *
 * @spec k8s@1.36 pkg/apis/core/validation validate…VolumeSource
 */
export const PLAIN_SOURCE_RULES: { readonly [K in Source]?: Rule } = {
  persistentVolumeClaim: needs("claimName"),
  ephemeral: needs("volumeClaimTemplate"),
  awsElasticBlockStore: needs("volumeID"),
  azureDisk: needs("diskName", "diskURI"),
  azureFile: needs("secretName", "shareName"),
  cephfs: needs("monitors"),
  cinder: needs("volumeID"),
  flexVolume: needs("driver"),
  gcePersistentDisk: needs("pdName"),
  glusterfs: needs("endpoints", "path"),
  iscsi: needs("targetPortal", "iqn"),
  photonPersistentDisk: needs("pdID"),
  portworxVolume: needs("volumeID"),
  quobyte: needs("registry", "volume"),
  rbd: needs("monitors", "image"),
  scaleIO: needs("gateway", "system", "volumeName"),
  storageos: needs("volumeName"),
  vsphereVolume: needs("volumePath"),
};
