import type { V1Volume } from "../../gen/types.ts";

/** Where the folders of one Pod lie. @spec k8s@1.36 pkg/kubelet/kubelet_getters.go */
export interface PodFolders {
  /** `/var/lib/kubelet/pods/UID` */
  readonly pod: string;
  /** In memory: what must never reach a disk. */
  readonly memory: string;
}

/** The folders of the Pod with that uid. */
export function foldersOf(stateRoot: string, uid: string): PodFolders {
  return { pod: `${stateRoot}/pods/${uid}`, memory: `${stateRoot}/memory/${uid}` };
}

/** Where a volume's content is on the node. */
export function volumePath(folders: PodFolders, volume: V1Volume): string {
  const { name, hostPath, configMap, secret, projected, downwardAPI } = volume;
  if (hostPath) return hostPath.path;
  if (secret ?? projected ?? downwardAPI) return `${folders.memory}/${name}`;
  const kind = configMap ? "configmap" : "empty-dir";
  return `${folders.pod}/volumes/kubernetes.io~${kind}/${name}`;
}
