import type { Command } from "./command.ts";
import { imageList, imageLoad, imagePull, imageRemove } from "./image.ts";
import { ip, kubeconfig, kubectl, ssh } from "./kubectl.ts";
import { logs } from "./logs.ts";
import { service } from "./service.ts";
import { start } from "./start.ts";
import { list, status } from "./status.ts";
import { deleteCluster, stop } from "./stop.ts";
import { tokenCreate } from "./token.ts";
import { why } from "./why.ts";

/** Every command of `skiff` that runs in the command line's own process, in the order of the help. */
export const LOCAL_COMMANDS: readonly Command[] = [
  start,
  stop,
  deleteCluster,
  status,
  list,
  logs,
  kubectl,
  kubeconfig,
  ssh,
  ip,
  service,
  why,
  tokenCreate,
  imageLoad,
  imageList,
  imageRemove,
  imagePull,
];
