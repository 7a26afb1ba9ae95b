import { spawn, type ChildProcess } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../../src/base/system-clock.ts";
import { removeCgroup } from "../../src/host/cgroups.ts";
import { cniConfig, containerdConfig } from "../../src/host/containerd-config.ts";
import { cniFolder } from "../../src/host/requirements.ts";
import { endProcesses, processesOfNode } from "../../src/host/supervisor.ts";
import { nodeEndpoint, NODE_SOCKET } from "../../src/images/node-images.ts";
import { PAUSE_IMAGE } from "../../src/images/pause-image.ts";
import { GrpcChannel, RpcError } from "../../src/wire/grpc/channel.ts";
import { GrpcCriClient } from "../../src/wire/cri/grpc-cri-client.ts";

/** A containerd of a test's own, in its own mount and network namespace; ends and vanishes with `close`. */
export interface TestContainerd {
  /** `unix:///path`. */
  readonly endpoint: string;
  /** A process inside its namespaces. */
  readonly pid: number;
  readonly folder: string;
  /** Control group for its pods (`linux.cgroupParent`); what is left in it ends with `close`. */
  readonly cgroup: string;
  close(): Promise<void>;
}

const START_MS_MAX = 20_000;

/**
 * Starts one and resolves when its CRI answers.
 *
 * @throws {Error} with its log, when it does not come up.
 */
export async function startTestContainerd(): Promise<TestContainerd> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-containerd-"));
  for (const name of ["root", "cni", "registry"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "cni", "10-skiff.conflist"), cniConfig("10.231.0.0/24"));
  writeFileSync(
    join(folder, "config.toml"),
    containerdConfig({
      root: join(folder, "root"),
      state: join(folder, "state"),
      socket: NODE_SOCKET,
      sandboxImage: PAUSE_IMAGE,
      cniBinFolder: cniFolder()!,
      cniConfigFolder: join(folder, "cni"),
      registryFolder: join(folder, "registry"),
      snapshotter: "overlayfs",
      isOomScoreRestricted: true,
      streamAddress: "127.0.0.1",
    }),
  );
  const log = join(folder, "log");
  const output = openSync(log, "a");
  const inside = `mount -t tmpfs tmpfs /run && ip link set lo up && exec containerd --config ${join(folder, "config.toml")}`;
  const child = spawn("unshare", ["--mount", "--net", "--", "sh", "-c", inside], {
    stdio: ["ignore", output, output],
  });
  const endpoint = nodeEndpoint(child.pid!);
  const cgroup = `/skiff-test-${child.pid}`;
  const close = (): Promise<void> => closeContainerd(child, folder, cgroup);
  if (!(await answers(endpoint, child))) {
    const words = readFileSync(log, "utf8").split("\n").slice(-15).join("\n");
    await close();
    throw new Error(`containerd did not start:\n${words}`);
  }
  return { endpoint, pid: child.pid!, folder, cgroup, close };
}

async function answers(endpoint: string, child: ChildProcess): Promise<boolean> {
  const channel = new GrpcChannel(endpoint);
  const cri = new GrpcCriClient(channel);
  try {
    for (const until = Date.now() + START_MS_MAX; Date.now() < until && child.exitCode === null;) {
      try {
        await cri.version();
        return true;
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return false;
  } finally {
    channel.close();
  }
}

/** Ends the shims first: they outlive their containerd on purpose. */
async function closeContainerd(child: ChildProcess, folder: string, cgroup: string): Promise<void> {
  const left = [...shimsOf(child.pid!), ...processesOfNode("", "", cgroup)];
  await endProcesses(new SystemClock(), left, 0);
  removeCgroup(cgroup);
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** All processes of the mount namespace that containerd is in, but for containerd itself. */
function shimsOf(pid: number): readonly number[] {
  const namespaceOf = (id: number): string => {
    try {
      return readlinkSync(`/proc/${id}/ns/mnt`);
    } catch {
      return ""; // ended meanwhile
    }
  };
  const own = namespaceOf(pid);
  return readdirSync("/proc")
    .map(Number)
    .filter((id) => id > 0 && id !== pid && own !== "" && namespaceOf(id) === own);
}
