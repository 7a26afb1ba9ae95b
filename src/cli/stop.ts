import { resolve } from "node:path";
import { withLock } from "../host/file-lock.ts";
import { removeFromKubeconfig } from "../host/kubeconfig-file.ts";
import { OUTPUT_FLAG, wantsJson, type Command, type Invocation } from "./command.ts";
import { clusterOf, existingCluster, lockOf, needRoot, userKubeconfig } from "./local.ts";

/** How long another command on the same cluster may take, in ms. */
const LOCK_MS_MAX = 120_000;

/** `skiff stop`: ends all processes and keeps the state. */
export const stop: Command = {
  name: "stop",
  summary: "stop a cluster and keep its state",
  operands: "",
  flags: [OUTPUT_FLAG],
  details: "Containers end; 'skiff start' brings everything back.",
  run: async (invocation) => {
    needRoot(invocation, "'skiff stop'");
    const { cluster } = existingCluster(invocation);
    const { clock, print } = invocation.surroundings;
    const { name } = cluster.state;
    await withLock(clock, lockOf(cluster), "skiff stop", LOCK_MS_MAX, () => cluster.stop());
    print(
      wantsJson(invocation.flags)
        ? JSON.stringify({ name, stopped: true })
        : `cluster ${name} is stopped; its state is kept`,
    );
    return 0;
  },
};

/** `skiff delete`: removes every trace of a cluster. Deleting what does not exist is no failure. */
export const deleteCluster: Command = {
  name: "delete",
  summary: "remove a cluster and every trace of it",
  operands: "",
  flags: [
    {
      name: "kubeconfig",
      kind: "text",
      placeholder: "FILE",
      description: "where else its context is (default: where 'skiff start' put it)",
    },
    OUTPUT_FLAG,
  ],
  run: async (invocation) => {
    needRoot(invocation, "'skiff delete'");
    return deleteLocked(invocation);
  },
};

async function deleteLocked(invocation: Invocation): Promise<number> {
  const cluster = clusterOf(invocation);
  const { clock, print } = invocation.surroundings;
  const { name } = cluster.state;
  const existed = cluster.exists();
  const given = invocation.flags.text("kubeconfig");
  const noted = cluster.fileIfSound()?.kubeconfigs ?? [userKubeconfig(invocation)];
  await withLock(clock, lockOf(cluster), "skiff delete", LOCK_MS_MAX, () => cluster.delete());
  const kubeconfigs = new Set([...(given ? [resolve(given)] : []), ...noted]);
  if (existed || given)
    for (const path of kubeconfigs) await removeFromKubeconfig(clock, path, name);
  if (wantsJson(invocation.flags)) print(JSON.stringify({ name, deleted: existed }));
  else print(existed ? `cluster ${name} is gone` : `there is no cluster '${name}'`);
  return 0;
}
