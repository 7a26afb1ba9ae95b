/** What a node's private containerd is told. */
export interface ContainerdSettings {
  /** Image and snapshot store; survives reboots. */
  readonly root: string;
  /** Runtime state; on the node's own /run. */
  readonly state: string;
  readonly socket: string;
  readonly sandboxImage: string;
  readonly cniBinFolder: string;
  readonly cniConfigFolder: string;
  /** hosts.toml folders of registry mirrors. */
  readonly registryFolder: string;
  /** `overlayfs`, or `native` where it cannot be stacked. */
  readonly snapshotter: "overlayfs" | "native";
  /** The capability to lower OOM scores is missing: containerd must not try. */
  readonly isOomScoreRestricted: boolean;
  /** Address on which exec, attach and port-forward streams are served. */
  readonly streamAddress: string;
}

/** Plugins that a node never needs: each costs start-up time or memory, or reaches for devices. */
const DISABLED_PLUGINS = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
];

/** containerd's configuration file, version 2: read by containerd 1.5 to 2.x. */
export function containerdConfig(settings: ContainerdSettings): string {
  const quote = (text: string): string => JSON.stringify(text);
  return `version = 2
root = ${quote(settings.root)}
state = ${quote(settings.state)}
oom_score = 0
disabled_plugins = [${DISABLED_PLUGINS.map(quote).join(", ")}]

[grpc]
  address = ${quote(settings.socket)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(settings.sandboxImage)}
  stream_server_address = ${quote(settings.streamAddress)}
  stream_server_port = "0"
  enable_tls_streaming = false
  restrict_oom_score_adj = ${settings.isOomScoreRestricted}
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  disable_hugetlb_controller = true
  max_concurrent_downloads = 8

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = ${quote(settings.snapshotter)}
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = ${quote(settings.cniBinFolder)}
  conf_dir = ${quote(settings.cniConfigFolder)}

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = ${quote(settings.registryFolder)}
`;
}

/**
 * The node's CNI network: each pod a routed veth pair, so every packet passes the node's forward hook.
 *
 * No masquerade and no port mapping here: both are elements of the service proxy's own maps.
 */
export function cniConfig(podCidr: string): string {
  const network = {
    cniVersion: "0.4.0",
    name: "skiff",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/var/lib/cni/networks",
        },
      },
    ],
  };
  return `${JSON.stringify(network, undefined, 2)}\n`;
}
