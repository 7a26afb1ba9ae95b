import type { CSIDriver } from "./csi-driver.ts";
import { OWN_DRIVER } from "./own-volumes.ts";
import { DEFAULT_CLASS, type StorageClass } from "./storage-class.ts";

/** The class of claims that name none, until somebody says otherwise. */
export const standardClass: StorageClass = {
  metadata: { name: "standard", annotations: { [DEFAULT_CLASS]: "true" } },
  provisioner: OWN_DRIVER,
  allowVolumeExpansion: true,
};

/** `File`: a Pod's `fsGroup` always holds, as a folder has no type of file system to tell by. */
export const volumesDriver: CSIDriver = {
  metadata: { name: OWN_DRIVER },
  spec: {
    attachRequired: true,
    podInfoOnMount: false,
    fsGroupPolicy: "File",
    volumeLifecycleModes: ["Persistent"],
  },
};
