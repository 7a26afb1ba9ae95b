import { join } from "node:path";
import type { ClusterFile } from "../host/cluster-file.ts";
import type { Lock } from "../host/file-lock.ts";
import { LocalCluster } from "../host/local-cluster.ts";
import { StateFolder } from "../host/state-folder.ts";
import type { Invocation } from "./command.ts";

/** The cluster that `--name` means, whether it exists or not. */
export function clusterOf({ clusterName, surroundings }: Invocation): LocalCluster {
  const { clock, program, home } = surroundings;
  return new LocalCluster(clock, program, new StateFolder(home, clusterName));
}

/** What commands that change a cluster hold meanwhile. */
export function lockOf({ state }: LocalCluster): Lock {
  return { name: state.id, what: "this cluster", noteFile: state.lockFile };
}

/** A cluster that exists, with its file. @throws {Error} there is none: says how to make it. */
export function existingCluster(invocation: Invocation): {
  readonly cluster: LocalCluster;
  readonly file: ClusterFile;
} {
  const cluster = clusterOf(invocation);
  const file = cluster.file();
  if (!file)
    throw new Error(`there is no cluster '${invocation.clusterName}': ${startHint(invocation)}`);
  return { cluster, file };
}

/** A cluster that runs. @throws {Error} it does not exist or is stopped: says what to do. */
export function runningCluster(invocation: Invocation): {
  readonly cluster: LocalCluster;
  readonly file: ClusterFile;
} {
  const found = existingCluster(invocation);
  if (!found.cluster.isRunning())
    throw new Error(`cluster '${invocation.clusterName}' is stopped: ${startHint(invocation)}`);
  return found;
}

/** The user's kubeconfig: the first file of $KUBECONFIG, or ~/.kube/config. */
export function userKubeconfig({ surroundings }: Invocation): string {
  const { KUBECONFIG = "", HOME = "/root" } = surroundings.environment;
  return KUBECONFIG.split(":").find((path) => path !== "") ?? join(HOME, ".kube", "config");
}

/** @throws {Error} not root: namespaces, mounts and rules need it. */
export function needRoot({ surroundings }: Invocation, what: string): void {
  if (!surroundings.isRoot)
    throw new Error(`${what} needs root (namespaces, mounts, nftables): run it with sudo`);
}

function startHint({ clusterName }: Invocation): string {
  return `start it with 'skiff start${clusterName === "skiff" ? "" : ` --name ${clusterName}`}'`;
}
