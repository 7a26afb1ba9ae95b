import type { Command, Flag } from "./command.ts";

/** A command that runs as a process of its own bundle: described here for the help, run by `main`. */
export type ProcessCommand = Omit<Command, "run">;

/** How much a process says in its log. */
export const LOG_LEVEL: Flag = {
  name: "log-level",
  kind: "text",
  placeholder: "LEVEL",
  choices: ["debug", "info", "warning", "error"],
  description: "least level that is logged (default info)",
};

const text = (name: string, placeholder: string, description: string): Flag => ({
  name,
  kind: "text",
  placeholder,
  description,
});

/** `skiff server`: API server, controllers and scheduler. */
export const SERVER_COMMAND: ProcessCommand = {
  name: "server",
  summary: "run the API server, the controllers and the scheduler in the foreground",
  operands: "",
  flags: [
    text("data", "FOLDER", "state folder: store, keys, certificates, log (required)"),
    {
      name: "listen",
      kind: "list",
      placeholder: "HOST:PORT",
      description: "where the API answers (repeatable; default 127.0.0.1:6443)",
    },
    text(
      "advertise",
      "HOST:PORT",
      "the API's address for pods and nodes (default: first --listen)",
    ),
    text("service-cidr", "CIDR", "range of Service addresses (default 10.96.0.0/16)"),
    text("pod-cidr", "CIDR", "range that nodes get their pod ranges from (default 10.244.0.0/16)"),
    {
      name: "node-pod-prefix",
      kind: "integer",
      placeholder: "BITS",
      minimum: 16,
      maximum: 30,
      description: "prefix length of a node's pod range (default 24)",
    },
    text(
      "scheduler-config",
      "FILE",
      "how the scheduler works: a KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1",
    ),
    { name: "no-controllers", kind: "boolean", description: "run no controllers" },
    { name: "no-scheduler", kind: "boolean", description: "run no scheduler" },
    LOG_LEVEL,
  ],
};

/** `skiff agent`: kubelet, service proxy and DNS of one node. */
export const AGENT_COMMAND: ProcessCommand = {
  name: "agent",
  summary: "run a node's kubelet, service proxy and DNS in the foreground",
  operands: "",
  flags: [
    text("data", "FOLDER", "state folder: containers, volumes, log (required)"),
    text("server", "URL", "the API server (default: the kubeconfig's)"),
    text("kubeconfig", "FILE", "the node's credentials (required)"),
    text("node-name", "NAME", "the node's name (required)"),
    text("node-ip", "IP", "the node's address (required)"),
    text("cluster-dns", "IP", "the cluster DNS address (default 10.96.0.10)"),
    text("pod-cidr", "CIDR", "range of all pods of the cluster (default 10.244.0.0/16)"),
    text(
      "volumes-dir",
      "FOLDER",
      "where the cluster's own volumes lie, which all nodes of one machine share (default: volumes in --data)",
    ),
    text(
      "container-runtime-endpoint",
      "URL",
      "use this CRI runtime instead of a private containerd",
    ),
    LOG_LEVEL,
  ],
};
