import { join } from "node:path";
import type { ClusterFile } from "../host/cluster-file.ts";
import { withLock } from "../host/file-lock.ts";
import type { LocalCluster } from "../host/local-cluster.ts";
import type { ImageLayout } from "../images/layout.ts";
import type { NodeImages } from "../images/node-images.ts";
import type { Invocation } from "./command.ts";
import { existingCluster, needRoot, runningCluster } from "./local.ts";

/** Longest wait for another writer of the same cluster's images, in ms: a load of some GB takes a minute. */
const LOCK_MS_MAX = 10 * 60 * 1000;

/** Where images are: the cluster's own store and its running nodes. */
export interface Place {
  readonly layout: ImageLayout;
  readonly nodes: ReadonlyMap<string, NodeImages>;
  /** Names of nodes that do not run. */
  readonly absent: readonly string[];
}

/** For commands that only ask nodes. @throws {Error} the cluster does not run. */
export async function withNodes(
  invocation: Invocation,
  body: (place: Place) => Promise<number>,
): Promise<number> {
  needRoot(invocation, "'skiff image'");
  const { cluster, file } = runningCluster(invocation);
  return withPlace(invocation, cluster, file, body);
}

/** For commands that change the cluster's own store, which works while it is stopped too. One runs at a time. */
export async function withStore(
  invocation: Invocation,
  body: (place: Place) => Promise<number>,
): Promise<number> {
  needRoot(invocation, "'skiff image'");
  const { cluster, file } = existingCluster(invocation);
  const lock = { name: `images-${cluster.state.id}`, what: "the images of this cluster" };
  return withLock(invocation.surroundings.clock, lock, "skiff image", LOCK_MS_MAX, () =>
    withPlace(invocation, cluster, file, body),
  );
}

/** Loads the code of images only now: no other command should pay for it. */
async function withPlace(
  { surroundings: { clock } }: Invocation,
  cluster: LocalCluster,
  file: ClusterFile,
  body: (place: Place) => Promise<number>,
): Promise<number> {
  const { IMAGES_FOLDER, ImageLayout } = await import("../images/layout.ts");
  const { NodeImages, nodeEndpoint } = await import("../images/node-images.ts");
  const processes = cluster.processes(file);
  const nodes = new Map<string, NodeImages>();
  const absent: string[] = [];
  for (const { name } of file.nodes) {
    const pid = processes.get(`agent-${name}`);
    if (pid === undefined) absent.push(name);
    else nodes.set(name, new NodeImages(clock, nodeEndpoint(pid)));
  }
  try {
    const layout = new ImageLayout(join(cluster.state.path, IMAGES_FOLDER));
    return await body({ layout, nodes, absent });
  } finally {
    for (const node of nodes.values()) node.close();
  }
}

/** Asks all nodes at once. @throws {Error} of the first that fails, naming it; the others have finished by then. */
export async function onEach<T>(
  nodes: ReadonlyMap<string, NodeImages>,
  what: string,
  ask: (node: NodeImages) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const names = [...nodes.keys()];
  const answers = await Promise.allSettled(names.map((name) => ask(nodes.get(name)!)));
  return new Map(
    answers.map((answer, index) => {
      if (answer.status === "fulfilled") return [names[index]!, answer.value];
      const { message } = answer.reason as Error;
      throw new Error(`node ${names[index]!} cannot ${what}: ${message}`);
    }),
  );
}
