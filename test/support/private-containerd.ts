import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeCgroup } from "../../src/kubelet/executor/cgroups.ts";
import { imageArchive } from "./image-archive.ts";

/** Set in the process that runs inside of the private machine. */
const INSIDE = "SKIFF_TEST_PRIVATE_MACHINE";

/** Image of every test container: busybox under its usual names. */
export const TEST_IMAGE = "skiff.test/busybox:1";
const PAUSE_IMAGE = "skiff.test/pause:1";

const APPLETS = [
  "sh",
  "sleep",
  "cat",
  "ls",
  "echo",
  "env",
  "id",
  "nc",
  "httpd",
  "true",
  "false",
  "touch",
  "kill",
  "head",
  "dd",
  "mount",
];

/** True in the process that has its own mounts and network. */
export function isInside(): boolean {
  return process.env[INSIDE] === "1";
}

/** Runs this test file again in a mount and network namespace of its own. @returns its exit code and output. */
export function runInside(file: string): { readonly code: number; readonly output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawnSync(
    "unshare",
    [
      "--mount",
      "--net",
      "--propagation",
      "private",
      process.execPath,
      "--enable-source-maps",
      file,
    ],
    { env: { ...env, [INSIDE]: "1" }, encoding: "utf8", timeout: 180_000 },
  );
  return { code: child.status ?? 1, output: child.stdout + child.stderr };
}

/** A containerd of this test alone. */
export interface PrivateContainerd {
  readonly folder: string;
  /** `unix:///…` */
  readonly endpoint: string;
  readonly cgroupRoot: string;
  close(): Promise<void>;
}

/** Starts containerd in this private machine and loads the test image. */
export async function startContainerd(): Promise<PrivateContainerd> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-containerd-"));
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  execFileSync("ip", ["link", "set", "lo", "up"]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  mkdirSync(join(folder, "cni"));
  writeFileSync(join(folder, "cni/10-test.conflist"), CNI);
  const socket = "/run/containerd-test.sock";
  const config = join(folder, "config.toml");
  writeFileSync(config, configText(folder, socket));
  const child = spawn("containerd", ["--config", config], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ctr = (...args: string[]): void =>
    void execFileSync("ctr", ["-a", socket, "-n", "k8s.io", ...args], { stdio: "pipe" });
  await waitFor(() => existsSync(socket));
  for (const archive of archives(folder)) ctr("images", "import", archive);
  const cgroupRoot = `/skiff-test-${process.pid}`;
  return {
    folder,
    endpoint: `unix://${socket}`,
    cgroupRoot,
    close: async () => {
      child.kill("SIGTERM");
      await ended;
      await removeCgroup(cgroupRoot);
      execFileSync("umount", ["--recursive", "--lazy", join(folder, "kubelet/memory")]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const CNI = JSON.stringify({
  cniVersion: "1.0.0",
  name: "test",
  plugins: [
    {
      type: "ptp",
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: "10.244.9.0/24" }]],
        routes: [{ dst: "0.0.0.0/0" }],
        dataDir: "/run/cni",
      },
    },
  ],
});

function configText(folder: string, socket: string): string {
  return `version = 2
root = "${folder}/root"
state = "/run/containerd-test"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
`;
}

function archives(folder: string): readonly string[] {
  return [
    imageArchive(folder, {
      tag: TEST_IMAGE,
      program: busybox(folder),
      path: "bin/busybox",
      links: APPLETS.map((name) => `bin/${name}`),
    }),
    imageArchive(folder, {
      tag: PAUSE_IMAGE,
      program: "/usr/bin/catatonit",
      path: "pause",
      entrypoint: ["/pause", "-P"],
    }),
  ];
}

/** A static busybox: the machine's, or out of Debian's package. */
export function busybox(folder: string): string {
  if (existsSync("/bin/busybox")) return "/bin/busybox";
  const cache = join(tmpdir(), "skiff-test-busybox");
  const packed = (): string | undefined =>
    existsSync(cache) ? readdirSync(cache).find((name) => name.endsWith(".deb")) : undefined;
  if (!packed()) throw new Error("no busybox here: install busybox-static");
  execFileSync("dpkg-deb", ["-x", join(cache, packed()!), join(folder, "busybox")]);
  return join(folder, "busybox/bin/busybox");
}

/** Downloads what a private machine cannot: it has no network. Call it outside. */
export function fetchBusybox(): void {
  const cache = join(tmpdir(), "skiff-test-busybox");
  if (existsSync("/bin/busybox")) return;
  mkdirSync(cache, { recursive: true });
  if (readdirSync(cache).some((name) => name.endsWith(".deb"))) return;
  const options = ["-o", "APT::Sandbox::User=root"];
  execFileSync("apt-get", [...options, "download", "busybox-static"], {
    cwd: cache,
    stdio: "pipe",
  });
}

/** Waits until `isTrue`. @throws {Error} after `limitMs`. */
export async function waitFor(
  isTrue: () => boolean | Promise<boolean>,
  limitMs = 20_000,
  what = "what the test waits for",
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`${what} did not happen in ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
