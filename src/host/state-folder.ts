import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where everything of one cluster lies. Pure: only names paths. `docs/design/processes.md` has the layout. */
export class StateFolder {
  readonly home: string;
  readonly name: string;
  readonly path: string;

  /** `home`: $SKIFF_HOME. `name`: a checked cluster name. */
  constructor(home: string, name: string) {
    this.home = home;
    this.name = name;
    this.path = join(home, name);
  }

  /** Twelve hex digits that tell this cluster from all others on the machine: in names of links, tables, cgroups. */
  get id(): string {
    return createHash("sha256").update(this.path).digest("hex").slice(0, 12);
  }

  get clusterFile(): string {
    return join(this.path, "cluster.json");
  }

  /** The configuration of the scheduler, where one was given. */
  get schedulerConfig(): string {
    return join(this.path, "scheduler.yaml");
  }

  get lockFile(): string {
    return join(this.home, `.${this.name}.lock`);
  }

  get adminKubeconfig(): string {
    return join(this.path, "admin.kubeconfig");
  }

  get pki(): string {
    return join(this.path, "pki");
  }

  get runFolder(): string {
    return join(this.path, "run");
  }

  get logFolder(): string {
    return join(this.path, "log");
  }

  /** The cluster's own volumes: one folder each. */
  get volumesFolder(): string {
    return join(this.path, "volumes");
  }

  /** Sockets' paths have 107 bytes at most, so they lie outside. */
  get socketFolder(): string {
    return `/run/skiff/${this.id}`;
  }

  log(role: string): string {
    return join(this.logFolder, `${role}.log`);
  }

  pidFile(role: string): string {
    return join(this.runFolder, `${role}.pid`);
  }

  argumentsFile(role: string): string {
    return join(this.runFolder, `${role}.argv`);
  }

  node(node: string): NodeFolder {
    return new NodeFolder(join(this.path, "nodes", node), node);
  }
}

/** The part of the state folder that belongs to one local node. */
export class NodeFolder {
  readonly path: string;
  readonly name: string;

  constructor(path: string, name: string) {
    this.path = path;
    this.name = name;
  }

  get kubeconfig(): string {
    return join(this.path, "agent.kubeconfig");
  }

  /** Bind-mounted onto itself and private, so that namespaces can be pinned in it. */
  get pins(): string {
    return join(this.path, "ns");
  }

  get networkPin(): string {
    return join(this.pins, "net");
  }

  get mountPin(): string {
    return join(this.pins, "mnt");
  }

  /** What the node sees under /var/lib and /var/log. */
  get root(): string {
    return join(this.path, "root");
  }
}

/** The label rule that names of clusters follow: they become part of node names. */
export function clusterNameProblem(name: string): string | undefined {
  if (name.length <= 40 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined;
  return (
    `'${name}' cannot name a cluster: expected at most 40 lower-case letters, digits and '-', ` +
    `beginning and ending with a letter or digit (such as 'skiff' or 'test-1')`
  );
}
