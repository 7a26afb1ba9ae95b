/** Provisioners that were built in once, and the drivers that have their volumes now. @spec csi-translation-lib */
const DRIVERS: Readonly<Record<string, string>> = {
  "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
  "kubernetes.io/azure-disk": "disk.csi.azure.com",
  "kubernetes.io/azure-file": "file.csi.azure.com",
  "kubernetes.io/cinder": "cinder.csi.openstack.org",
  "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
  "kubernetes.io/portworx-volume": "pxd.portworx.com",
  "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
};

/** Who makes the volumes of a class with this provisioner. */
export function driverOf(provisioner: string): string {
  return Object.hasOwn(DRIVERS, provisioner) ? DRIVERS[provisioner]! : provisioner;
}
