/** What a driver has, and how it calls it. */
export interface DriverVolume {
  readonly driver: string;
  readonly handle: string;
}

/** How a Node's status names a volume of a driver. @spec k8s@1.36 pkg/volume/util GetUniqueVolumeName; csi_plugin.go GetVolumeName */
export function formatAttachedName({ driver, handle }: DriverVolume): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}

/** `undefined`: it names no volume of a CSI driver. */
export function parseAttachedName(text: string): DriverVolume | undefined {
  const [, driver, handle] = /^kubernetes\.io\/csi\/([^^]*)\^(.*)$/.exec(text) ?? [];
  return driver === undefined || handle === undefined ? undefined : { driver, handle };
}
