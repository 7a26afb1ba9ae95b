import { ApiProbe } from "../host/api-probe.ts";
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
    OUTPUT_FLAG,
  ],
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, surroundings } = invocation;
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
  const rows = ports.map(({ name: port, port: target, nodePort }) => ({
    namespace,
    name,
    targetPort: port ? `${port}/${target}` : String(target),
    url: `http://${file.nodes[0]!.ip}:${nodePort}`,
  }));
  if (wantsJson(flags)) surroundings.print(JSON.stringify(rows));
  else if (flags.isSet("url")) rows.forEach(({ url }) => surroundings.print(url));
  else
    rows.forEach((row) =>
      surroundings.print(`${row.namespace}/${row.name}  ${row.targetPort}  ${row.url}`),
    );
  return 0;
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
