import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createLogger, type Logger, type LogLevel } from "../base/logger.ts";
import { sleep } from "../base/clock.ts";
import { SystemClock } from "../base/system-clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import { parseArguments } from "../cli/arguments.ts";
import { UsageError, type Flags } from "../cli/command.ts";
import { commandHelp } from "../cli/help.ts";
import { AGENT_COMMAND } from "../cli/processes.ts";
import { hasSysResource, isOnOverlay } from "../host/capabilities.ts";
import { Containerd } from "../host/containerd.ts";
import { readIfPresent } from "../host/files.ts";
import { readAccess } from "../host/kubeconfig-file.ts";
import { cgroupOf } from "../host/local-cluster.ts";
import { LogFile } from "../host/log-file.ts";
import { markReady, writePidFile } from "../host/process-record.ts";
import { cniFolder, findBinary } from "../host/requirements.ts";
import { machineResolvers, reachableResolvers } from "../host/resolvers.ts";
import { StateFolder } from "../host/state-folder.ts";
import { ImageLayout, IMAGES_FOLDER } from "../images/layout.ts";
import { NodeImages } from "../images/node-images.ts";
import { PAUSE_IMAGE } from "../images/pause-image.ts";
import { fixedCredentials } from "../wire/http-client/credentials.ts";
import { startAgent } from "./compose-agent.ts";
import { readNodeFiles } from "./kubeconfig-files.ts";
import { serverVersion } from "./package-facts.ts";
import { terminated } from "./process-end.ts";

/** The node's private containerd, in its own /run. */
const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
const CNI_CONFIG_FOLDER = "/run/skiff/cni";
/** Pause between two looks for the credentials that a starting server writes, in ms. */
const CREDENTIALS_LOOK_MS = 10;

const clock = new SystemClock();
const random = new SystemRandom();

async function main(words: readonly string[]): Promise<void> {
  const command = { ...AGENT_COMMAND, run: () => Promise.resolve(0) };
  const { flags, wantsHelp } = parseArguments(command, words);
  if (wantsHelp) {
    process.stdout.write(`${commandHelp(AGENT_COMMAND)}\n`);
    return;
  }
  const data = required(flags, "data");
  const nodeName = required(flags, "node-name");
  const log = new LogFile(join(data, `log/agent-${nodeName}.log`));
  const level = (flags.text("log-level") ?? "info") as LogLevel;
  const logger = createLogger(clock, (line) => log.write(line), level);
  try {
    await serve(data, nodeName, flags, logger);
  } catch (error) {
    logger.error("the agent cannot run", {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    throw error;
  }
}

async function serve(data: string, nodeName: string, flags: Flags, logger: Logger): Promise<void> {
  const state = new StateFolder(dirname(data), data.slice(dirname(data).length + 1));
  const node = state.node(nodeName);
  writePidFile(state.pidFile(`agent-${nodeName}`));
  const kubeconfig = required(flags, "kubeconfig");
  const endpoint = flags.text("container-runtime-endpoint");
  const containerd = endpoint ? undefined : privateContainerd(state, nodeName, logger);
  const runtimeEndpoint = endpoint ?? `unix://${CONTAINERD_SOCKET}`;
  await Promise.all([containerd?.start(), written(kubeconfig)]);
  await prepareImages(state, runtimeEndpoint, logger);
  const access = readAccess(kubeconfig);
  const files = readNodeFiles(node.path);
  const resolvConf = join(node.path, "resolv.conf");
  const resolvers = readIfPresent(resolvConf);
  const agent = await startAgent({
    clock,
    random,
    logger,
    server: flags.text("server") ?? access.server,
    credentials: fixedCredentials({ ca: access.ca, cert: access.certificate, key: access.key }),
    nodeName,
    nodeIp: required(flags, "node-ip"),
    clusterDns: flags.text("cluster-dns") ?? "10.96.0.10",
    clusterPodCidr: flags.text("pod-cidr") ?? "10.244.0.0/16",
    resolvers: (resolvers === undefined ? machineResolvers() : reachableResolvers(resolvers))
      .servers,
    runtimeEndpoint,
    cniConfigFile: join(CNI_CONFIG_FOLDER, "10-skiff.conflist"),
    resolvConf: resolvers === undefined ? "/etc/resolv.conf" : resolvConf,
    cgroupRoot: `${cgroupOf(state, nodeName)}/kubepods`,
    volumesFolder: flags.text("volumes-dir") ?? state.volumesFolder,
    version: serverVersion(),
    serving: { certificate: files.cert, key: files.key, clientCa: files.ca },
  });
  void agent.networked.then(() => markReady(state.pidFile(`agent-${nodeName}`)));
  logger.info("ready", { elapsedMs: Math.round(clock.monotonic()) });
  await terminated();
  agent.close();
  containerd?.close();
}

function privateContainerd(state: StateFolder, nodeName: string, logger: Logger): Containerd {
  const node = state.node(nodeName);
  const path = process.env["PATH"] ?? "";
  const binary = findBinary("containerd", path);
  const plugins = cniFolder();
  if (!binary || !plugins)
    throw new Error("containerd or the CNI plugins are missing: run 'npm start'");
  const root = join(node.root, "containerd");
  return new Containerd(
    clock,
    logger,
    {
      binary,
      configFile: join(node.path, "containerd.toml"),
      pidFile: state.pidFile(`containerd-${nodeName}`),
      logFile: state.log(`containerd-${nodeName}`),
    },
    {
      root,
      state: "/run/containerd",
      socket: CONTAINERD_SOCKET,
      sandboxImage: PAUSE_IMAGE,
      cniBinFolder: plugins,
      cniConfigFolder: CNI_CONFIG_FOLDER,
      registryFolder: join(state.path, "registries"),
      snapshotter: isOnOverlay(root) ? "native" : "overlayfs",
      isOomScoreRestricted: !hasSysResource(),
      streamAddress: "127.0.0.1",
    },
  );
}

/** The pause image must be there before any Pod; images that were loaded into the cluster may follow. */
async function prepareImages(state: StateFolder, endpoint: string, logger: Logger): Promise<void> {
  const images = new NodeImages(clock, endpoint);
  const binary = findBinary("catatonit", process.env["PATH"] ?? "");
  if (!binary) throw new Error("catatonit is missing: run 'npm start'");
  await images.ensurePauseImage(binary);
  void images
    .fill(new ImageLayout(join(state.path, IMAGES_FOLDER)))
    .catch((error: unknown) => logger.error("loading kept images failed", { error: String(error) }))
    .finally(() => images.close());
}

async function written(path: string): Promise<void> {
  for (;;) {
    try {
      readFileSync(path);
      return;
    } catch {
      await sleep(clock, CREDENTIALS_LOOK_MS);
    }
  }
}

function required(flags: Flags, name: string): string {
  const value = flags.text(name);
  if (!value) throw new UsageError(`skiff agent needs --${name}`);
  return value;
}

main(process.argv.slice(3)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`skiff: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
