import { ApiProbe } from "../host/api-probe.ts";
import { TcpForwarder } from "../wire/tcp/forwarder.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { runningCluster } from "./local.ts";

/** The part of a Service that its URLs need. */
interface NodePortService {
  readonly spec?: {
    readonly type?: string;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly nodePort?: number;
    }[];
  };
}

/** One port of a Service, and where it answers. */
interface Row {
  readonly namespace: string;
  readonly name: string;
  /** `80`, or `http/80`. */
  readonly targetPort: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** `skiff service NAME --url`: where a Service answers from this machine. */
export const service: Command = {
  name: "service",
  summary: "print the URLs of a Service's node ports",
  operands: "NAME",
  flags: [
    {
      name: "namespace",
      kind: "text",
      placeholder: "NAMESPACE",
      description: "where the Service is (default default)",
    },
    { name: "url", kind: "boolean", description: "print the URLs alone" },
    {
      name: "tunnel",
      kind: "boolean",
      description: "make it answer on ports of 127.0.0.1, until the command is ended",
    },
    OUTPUT_FLAG,
  ],
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { flags, operands } = invocation;
  const [name, ...others] = operands;
  if (name === undefined || others.length > 0)
    throw new UsageError("expected one Service: skiff service NAME");
  const { cluster, file } = runningCluster(invocation);
  const namespace = flags.text("namespace") ?? "default";
  const found = await fetchService(new ApiProbe(cluster.state.adminKubeconfig), namespace, name);
  const ports = (found.spec?.ports ?? []).filter(({ nodePort }) => nodePort);
  if (ports.length === 0)
    throw new Error(
      `Service ${namespace}/${name} has no node port (its type is ${found.spec?.type ?? "ClusterIP"}): ` +
        `use type NodePort or LoadBalancer, or 'kubectl port-forward'`,
    );
  const host = file.nodes[0]!.ip;
  const rows = ports.map(({ name: port, port: target, nodePort }) => ({
    namespace,
    name,
    targetPort: port ? `${port}/${target}` : String(target),
    host,
    port: nodePort!,
    url: `http://${host}:${nodePort}`,
  }));
  if (flags.isSet("tunnel")) await tunnel(invocation, rows);
  else show(invocation, rows);
  return 0;
}

function show({ flags, surroundings }: Invocation, rows: readonly Row[]): void {
  const shown = rows.map(({ host: _host, port: _port, ...row }) => row);
  if (wantsJson(flags)) surroundings.print(JSON.stringify(shown));
  else if (flags.isSet("url")) shown.forEach(({ url }) => surroundings.print(url));
  else
    shown.forEach((row) =>
      surroundings.print(`${row.namespace}/${row.name}  ${row.targetPort}  ${row.url}`),
    );
}

/** For browsers of another machine or system, whose way ends at this one's 127.0.0.1. */
async function tunnel(invocation: Invocation, rows: readonly Row[]): Promise<void> {
  const { print, untilInterrupted } = invocation.surroundings;
  const interrupted = untilInterrupted();
  const name = rows[0]!.name;
  print(`Starting tunnel for service ${name}.`);
  const forwarders = await Promise.all(rows.map((row) => TcpForwarder.listen(row)));
  show(
    invocation,
    rows.map((row, i) => ({ ...row, url: `http://127.0.0.1:${forwarders[i]!.port}` })),
  );
  await interrupted;
  print(`Stopping tunnel for service ${name}.`);
  forwarders.forEach((forwarder) => forwarder.close());
}

async function fetchService(
  probe: ApiProbe,
  namespace: string,
  name: string,
): Promise<NodePortService> {
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(name)}`;
    const answer = await probe.get(path);
    if (!answer) throw new Error("the API server does not answer: see 'skiff status'");
    if (answer.status === 200) return JSON.parse(answer.body) as NodePortService;
    const { message } = JSON.parse(answer.body) as { message?: string };
    throw new Error(message ?? `the API server answered ${answer.status}`);
  } finally {
    probe.close();
  }
}
