import type { V1Pod } from "../../gen/types.ts";
import {
  NAMESPACE_CONTAINER,
  NAMESPACE_NODE,
  NAMESPACE_POD,
  type NamespaceOption,
} from "../../wire/cri/cri-client.ts";

/** Which namespaces the Pod shares with the node, and its containers with each other. */
export function namespacesOf({ spec }: V1Pod): NamespaceOption {
  return {
    network: spec?.hostNetwork ? NAMESPACE_NODE : NAMESPACE_POD,
    ipc: spec?.hostIPC ? NAMESPACE_NODE : NAMESPACE_POD,
    pid: spec?.hostPID
      ? NAMESPACE_NODE
      : spec?.shareProcessNamespace
        ? NAMESPACE_POD
        : NAMESPACE_CONTAINER,
  };
}
