import { ApiProbe, type Answer } from "../host/api-probe.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { runningCluster } from "./local.ts";

/** `skiff why`: why a Pod is where it is or nowhere, and what of another object is not well. */
export const why: Command = {
  name: "why",
  summary: "say why a pod is where it is or waits, and what of another object is not well",
  operands: "KIND/NAME",
  flags: [
    {
      name: "namespace",
      kind: "text",
      placeholder: "NAMESPACE",
      description: "the object's namespace (default 'default')",
    },
    OUTPUT_FLAG,
  ],
  details:
    "Of a pod: every node with every plugin that refuses it and what would have to change, or how the nodes score.\n" +
    "Of another kind (deployment/web, node/skiff-1 …): its conditions, and the events about it.",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { operands, flags } = invocation;
  const [kind, name, ...rest] = (operands.length === 1 ? operands[0]!.split("/") : operands) as [
    string?,
    string?,
    ...string[],
  ];
  if (!kind || !name || rest.length > 0)
    throw new UsageError("'skiff why' takes one KIND/NAME, such as pod/web-0 or deployment/web");
  const { cluster } = runningCluster(invocation);
  const probe = new ApiProbe(cluster.state.adminKubeconfig);
  try {
    const namespace = flags.text("namespace") ?? "default";
    const isPod = ["pod", "pods", "po"].includes(kind.toLowerCase());
    return isPod
      ? await whyPod(invocation, probe, namespace, name)
      : await whyOther(invocation, probe, namespace, kind, name);
  } finally {
    probe.close();
  }
}

/** What the server answers of a pod. Contract: docs/design/scheduler.md. */
interface PodWhy {
  readonly state: string;
  readonly summary: string;
  readonly nodes: readonly NodeWhy[];
}

interface NodeWhy {
  readonly name: string;
  readonly fits: boolean;
  readonly refusals: readonly {
    readonly plugin: string;
    readonly reasons: readonly string[];
    readonly remedy: string;
  }[];
  readonly score?: number;
  readonly scores?: readonly { readonly plugin: string; readonly score: number }[];
}

async function whyPod(
  { flags, surroundings }: Invocation,
  probe: ApiProbe,
  namespace: string,
  name: string,
): Promise<number> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const found = read<PodWhy>(await probe.get(`${path}/why`));
  if (wantsJson(flags)) surroundings.print(JSON.stringify(found));
  else [`pod/${name}: ${found.summary}`, ...nodeLines(found.nodes)].forEach(surroundings.print);
  return 0;
}

function nodeLines(nodes: readonly NodeWhy[]): readonly string[] {
  return nodes.flatMap(({ name, fits, refusals, score = 0, scores = [] }) => {
    if (fits) {
      const parts = scores.map((part) => `${part.plugin} ${part.score}`).join(", ");
      return [`  ${name}  fits, score ${score}${parts ? ` (${parts})` : ""}`];
    }
    return [
      `  ${name}  refused`,
      ...refusals.flatMap(({ plugin, reasons, remedy }) => [
        `    ${plugin}: ${reasons.join(", ")}`,
        ...(remedy ? [`      would help: ${remedy}`] : []),
      ]),
    ];
  });
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly singularName: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
}

interface Whole {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

interface Events {
  readonly items: readonly {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly involvedObject: { readonly uid?: string };
  }[];
}

async function whyOther(
  { flags, surroundings }: Invocation,
  probe: ApiProbe,
  namespace: string,
  kind: string,
  name: string,
): Promise<number> {
  const { base, resource } = await findResource(probe, kind.toLowerCase());
  const scope = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const path = `${base}${scope}/${resource.name}/${encodeURIComponent(name)}`;
  const whole = read<Whole>(await probe.get(path));
  const place = resource.namespaced ? encodeURIComponent(namespace) : "default";
  const field = `involvedObject.name=${encodeURIComponent(name)},involvedObject.kind=${resource.kind}`;
  const events = read<Events>(
    await probe.get(
      `/api/v1/namespaces/${place}/events?fieldSelector=${encodeURIComponent(field)}`,
    ),
  );
  const conditions = whole.status?.conditions ?? [];
  const told = events.items.map(({ type, reason, message }) => ({ type, reason, message }));
  if (wantsJson(flags)) {
    surroundings.print(JSON.stringify({ kind: resource.kind, name, conditions, events: told }));
    return 0;
  }
  const lines = [
    ...conditions.map(
      ({ type, status, reason = "", message = "" }) =>
        `  ${type} is ${status}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`,
    ),
    ...told.map(({ type, reason, message }) => `  ${type} ${reason}: ${message}`),
  ];
  surroundings.print(`${resource.singularName || resource.name}/${name}`);
  if (lines.length === 0)
    surroundings.print("  it has no conditions, and there are no events about it");
  lines.forEach(surroundings.print);
  return 0;
}

/** The kind by any of its names, in the core group first, then in the preferred version of each group. */
async function findResource(
  probe: ApiProbe,
  kind: string,
): Promise<{ readonly base: string; readonly resource: Resource }> {
  const groups = read<{ groups: { preferredVersion: { groupVersion: string } }[] }>(
    await probe.get("/apis"),
  ).groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`);
  for (const base of ["/api/v1", ...groups]) {
    const { resources } = read<{ resources: Resource[] }>(await probe.get(base));
    const resource = resources.find(
      (one) =>
        !one.name.includes("/") &&
        [one.name, one.singularName, one.kind.toLowerCase(), ...(one.shortNames ?? [])].includes(
          kind,
        ),
    );
    if (resource) return { base, resource };
  }
  throw new Error(`there is no kind '${kind}': see 'kubectl api-resources'`);
}

/** @throws {Error} the server's own words, or that there was no answer. */
function read<T>(answer: Answer | undefined): T {
  if (!answer) throw new Error("the API server does not answer: see 'skiff status'");
  const body = JSON.parse(answer.body) as T & { readonly message?: string };
  if (answer.status !== 200)
    throw new Error(body.message ?? `the API server answered ${answer.status}`);
  return body;
}
