import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createLogger, type Logger, type LogLevel } from "../base/logger.ts";
import { SystemClock } from "../base/system-clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import { parseArguments } from "../cli/arguments.ts";
import { UsageError, type Flags } from "../cli/command.ts";
import { commandHelp } from "../cli/help.ts";
import { SERVER_COMMAND } from "../cli/processes.ts";
import { readClusterFile } from "../host/cluster-file.ts";
import { connectionsMax } from "../host/file-limit.ts";
import { LogFile } from "../host/log-file.ts";
import { NodeRoutes } from "../host/node-routes.ts";
import { writePidFile } from "../host/process-record.ts";
import { addressAt } from "../host/ranges.ts";
import { openLmdbStore } from "../store/lmdb/open-lmdb-store.ts";
import { readKeyFile } from "../store/lmdb/key-file.ts";
import { createKeyRing } from "../store/key-ring.ts";
import { sealStore } from "../store/sealed-store.ts";
import type { Store } from "../store/store.ts";
import { SYSTEM_USER } from "../apiserver/background/system-call.ts";
import { readConfiguration, type SchedulerConfiguration } from "../scheduler/configuration.ts";
import { postJson } from "./post-json.ts";
import { startControlPlane } from "./compose-server.ts";
import { labelControlPlane } from "./control-plane-role.ts";
import { packageRoot, versionFacts } from "./package-facts.ts";
import { terminated } from "./process-end.ts";
import { authorityOf, ensurePki, type Pki } from "./pki-files.ts";
import { writeKubeconfigs } from "./kubeconfig-files.ts";

/** Position of the cluster DNS address in the service range. */
const DNS_INDEX = 10;

const clock = new SystemClock();
const random = new SystemRandom();

async function main(words: readonly string[]): Promise<void> {
  const { flags, wantsHelp } = parseArguments(
    { ...SERVER_COMMAND, run: () => Promise.resolve(0) },
    words,
  );
  if (wantsHelp) {
    process.stdout.write(`${commandHelp(SERVER_COMMAND)}\n`);
    return;
  }
  const data = flags.text("data");
  if (!data) throw new UsageError("skiff server needs --data FOLDER");
  const log = new LogFile(join(data, "log/server.log"));
  const level = (flags.text("log-level") ?? "info") as LogLevel;
  const logger = createLogger(clock, (line) => log.write(line), level);
  try {
    await serve(data, flags, logger);
  } catch (error) {
    logger.error("the server cannot run", {
      error: error instanceof Error ? (error.stack ?? "") : String(error),
    });
    throw error;
  }
}

async function serve(data: string, flags: Flags, logger: Logger): Promise<void> {
  writePidFile(join(data, "run/server.pid"));
  const listen = flags.list("listen").length > 0 ? flags.list("listen") : ["127.0.0.1:6443"];
  const addresses = listen.map((text) => parseAddress("--listen", text));
  const advertised = parseAddress("--advertise", flags.text("advertise") ?? listen[0]!);
  const serviceCidr = flags.text("service-cidr") ?? "10.96.0.0/16";
  const pki = ensurePki(
    join(data, "pki"),
    {
      serviceIps: [addressAt(serviceCidr, 1)],
      addresses: [advertised.host, ...addresses.map(({ host }) => host)],
      extraDnsNames: [],
      clusterDomain: "cluster.local",
    },
    { now: clock.now(), random },
  );
  // Before the store is opened: a wrong file must change nothing.
  const scheduling = schedulingOf(flags);
  const store = await openStore(data);
  const plane = await startControlPlane({
    store,
    clock,
    random,
    logger,
    version: versionFacts(),
    hostName: hostname(),
    serviceCidr,
    podCidr: flags.text("pod-cidr") ?? "10.244.0.0/16",
    nodePodPrefix: flags.integer("node-pod-prefix") ?? 24,
    clusterDns: addressAt(serviceCidr, DNS_INDEX),
    ...keysOf(pki),
    signingAuthority: authorityOf(join(data, "pki"), pki.ca),
    definitions: () => readFileSync(join(packageRoot(), "dist/openapi/definitions.tsv"), "utf8"),
    // A loopback address is no endpoint: whoever listens there alone has no pods.
    ...(!advertised.host.startsWith("127.") && {
      advertised: { address: advertised.host, port: advertised.port },
    }),
    http: {
      listen: addresses,
      key: pki.leaves.server.keyPem,
      cert: pki.leaves.server.certificatePem,
      clientCa: pki.ca.certificatePem,
      connectionsMax: connectionsMax(),
    },
    ...(scheduling && { scheduling }),
    postJson,
    runsControllers: !flags.isSet("no-controllers"),
    runsScheduler: !flags.isSet("no-scheduler"),
  });
  const file = readClusterFile(join(data, "cluster.json"));
  writeKubeconfigs(
    data,
    pki,
    file,
    { local: addresses[0]!, advertised },
    { now: clock.now(), random },
  );
  const first = file?.nodes[0]?.name;
  if (first !== undefined)
    await labelControlPlane(plane.cache, plane.client(SYSTEM_USER), first, logger);
  const routes = file ? new NodeRoutes(plane.cache, clock, logger) : undefined;
  await routes?.start();
  logger.info("ready", { listen: listen.join(" "), elapsedMs: Math.round(clock.monotonic()) });
  await Promise.race([terminated(), plane.server.failed]);
  logger.info("closing");
  routes?.close();
  await plane.close();
  await store.close();
}

/** @throws {Error} naming the file: it cannot be read, or is no configuration. */
function schedulingOf(flags: Flags): SchedulerConfiguration | undefined {
  const file = flags.text("scheduler-config");
  if (file === undefined) return undefined;
  try {
    return readConfiguration(readFileSync(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`--scheduler-config ${file}: ${why}`, { cause: error });
  }
}

/** What the control plane needs of the cluster's keys. */
function keysOf({ serviceAccountKeyPem, ca, leaves }: Pki) {
  const client = leaves["apiserver-kubelet-client"];
  return {
    serviceAccountKey: serviceAccountKeyPem,
    ca: ca.certificatePem,
    caKey: ca.keyPem,
    kubeletClient: { cert: client.certificatePem, key: client.keyPem },
  };
}

async function openStore(data: string): Promise<Store> {
  const store = await openLmdbStore({ folder: join(data, "store"), isVolatile });
  const ring = createKeyRing(readKeyFile(join(data, "keys/secrets.json"), random), random);
  return sealStore(store, ring, isSecret);
}

/** Events and Leases: rewritten all the time, and worth nothing after a power loss. */
function isVolatile(key: string): boolean {
  return (
    key.startsWith("/registry/core/events/") ||
    key.startsWith("/registry/coordination.k8s.io/leases/")
  );
}

function isSecret(key: string): boolean {
  return key.startsWith("/registry/core/secrets/");
}

function parseAddress(
  flag: string,
  text: string,
): { readonly host: string; readonly port: number } {
  const found = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (!found || port < 1 || port > 65_535)
    throw new UsageError(`${flag} '${text}': expected HOST:PORT, such as 127.0.0.1:6443`);
  return { host: found[1]!, port };
}

main(process.argv.slice(3)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`skiff: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
