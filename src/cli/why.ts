import type {
  V1EndpointSlice,
  V1LimitRange,
  V1Node,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1ResourceQuota,
  V1Service,
} from "../gen/types.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { explainBudget } from "./explain/budget.ts";
import { findingLines, type Finding, type Happening } from "./explain/finding.ts";
import { podWaits } from "./explain/pod-waits.ts";
import { explainService } from "./explain/service.ts";
import { explainClaim, explainVolume, leaving } from "./explain/volume.ts";
import { explainWorkload, type Workload } from "./explain/workload.ts";
import { runningCluster } from "./local.ts";
import { WhyReader } from "./why-reader.ts";

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
    "Of a pod: every node with every plugin that refuses it and what would have to change, or how the nodes score;\n" +
    "of one that has a node, what its containers wait for.\n" +
    "Of what makes pods (deployment/web, job/report …): why there are not as many as there should be, and ready.\n" +
    "Of a service: to whom it sends, and why not to more.\n" +
    "Of a pod disruption budget: how many pods it lets go, and why no more.\n" +
    "Of a claim or a volume: what it waits for, who has it, and why it does not go.\n" +
    "Of another kind (node/skiff-1 …): its conditions, and the events about it.",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { operands, flags, surroundings } = invocation;
  const [kind, name, ...rest] = (operands.length === 1 ? operands[0]!.split("/") : operands) as [
    string?,
    string?,
    ...string[],
  ];
  if (!kind || !name || rest.length > 0)
    throw new UsageError("'skiff why' takes one KIND/NAME, such as pod/web-0 or deployment/web");
  const { cluster } = runningCluster(invocation);
  const namespace = flags.text("namespace") ?? "default";
  const reader = new WhyReader(cluster.state.adminKubeconfig, namespace);
  try {
    const isPod = ["pod", "pods", "po"].includes(kind.toLowerCase());
    const told = isPod ? await whyPod(reader, name) : await whyOther(reader, kind, name);
    if (wantsJson(flags)) surroundings.print(JSON.stringify(told.json));
    else {
      const unread = reader.unread.map((words) => `  not told here: ${words}`);
      [...told.lines, ...unread].forEach(surroundings.print);
    }
    return 0;
  } finally {
    reader.close();
  }
}

interface Told {
  readonly json: object;
  readonly lines: readonly string[];
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

async function whyPod(reader: WhyReader, name: string): Promise<Told> {
  const path = reader.path("/api/v1", "pods", name);
  const found = await reader.get<PodWhy>(`${path}/why`);
  const pod = await reader.get<V1Pod>(path);
  const { nodeName } = pod.spec ?? {};
  const waits = nodeName
    ? podWaits(pod, await reader.events("Pod", name), await nodeNamed(reader, nodeName))
    : [];
  return {
    json: { ...found, waits },
    lines: [`pod/${name}: ${found.summary}`, ...findingLines(waits), ...nodeLines(found.nodes)],
  };
}

/** `undefined`: it is gone, or may not be read. */
async function nodeNamed(reader: WhyReader, name: string): Promise<V1Node | undefined> {
  const selector = encodeURIComponent(`metadata.name=${name}`);
  return (await reader.list<V1Node>(`/api/v1/nodes?fieldSelector=${selector}`))[0];
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

interface Whole {
  readonly metadata: V1ObjectMeta;
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** What is said of some kinds beyond their conditions and events. */
interface Explained {
  readonly summary: string;
  readonly findings: readonly Finding[];
}

async function whyOther(reader: WhyReader, kind: string, name: string): Promise<Told> {
  const { base, resource } = await reader.resource(kind.toLowerCase());
  const path = resource.namespaced
    ? reader.path(base, resource.name, name)
    : `${base}/${resource.name}/${encodeURIComponent(name)}`;
  const whole = await reader.get<Whole>(path);
  const events = await reader.events(resource.kind, name, resource.namespaced);
  const explained = await explain(reader, resource.kind, whole, events);
  const conditions = whole.status?.conditions ?? [];
  const told = events.map(({ type, reason, message }) => ({ type, reason, message }));
  const title = `${resource.singularName || resource.name}/${name}`;
  const lines = [
    ...findingLines(explained?.findings ?? []),
    ...conditions.map(
      ({ type, status, reason = "", message = "" }) =>
        `  ${type} is ${status}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`,
    ),
    ...told.map(({ type, reason, message }) => `  ${type} ${reason}: ${message}`),
  ];
  const nothing = explained ? [] : ["  it has no conditions, and there are no events about it"];
  return {
    json: { kind: resource.kind, name, ...explained, conditions, events: told },
    lines: [
      explained ? `${title}: ${explained.summary}` : title,
      ...(lines.length > 0 ? lines : nothing),
    ],
  };
}

const WORKLOADS = new Set([
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "ReplicationController",
]);

async function explain(
  reader: WhyReader,
  kind: string,
  whole: Whole,
  events: readonly Happening[],
): Promise<Explained | undefined> {
  if (kind === "Service") return whyService(reader, whole as V1Service);
  if (kind === "PodDisruptionBudget") return explainBudget(whole as V1PodDisruptionBudget);
  if (kind === "PersistentVolume") return explainVolume(whole as V1PersistentVolume);
  if (kind === "PersistentVolumeClaim") {
    const pods = await reader.list<V1Pod>(reader.path("/api/v1", "pods"));
    return explainClaim(whole as V1PersistentVolumeClaim, pods, events);
  }
  if (WORKLOADS.has(kind)) return whyWorkload(reader, kind, whole, events);
  const { deletionTimestamp, finalizers } = whole.metadata;
  return deletionTimestamp && finalizers?.length ? leaving(finalizers) : undefined;
}

async function whyService(reader: WhyReader, service: V1Service): Promise<Explained> {
  const label = encodeURIComponent(`kubernetes.io/service-name=${service.metadata?.name}`);
  const slices = reader.path("/apis/discovery.k8s.io/v1", "endpointslices");
  return explainService({
    service,
    pods: await reader.list<V1Pod>(reader.path("/api/v1", "pods")),
    slices: await reader.list<V1EndpointSlice>(`${slices}?labelSelector=${label}`),
  });
}

/** Pods whose events are read: no more are told. */
const PODS_MAX = 5;

async function whyWorkload(
  reader: WhyReader,
  kind: string,
  whole: Whole,
  events: readonly Happening[],
): Promise<Explained> {
  const maker = kind === "Deployment" ? await newestSet(reader, whole) : whole;
  const all = maker ? await reader.list<V1Pod>(reader.path("/api/v1", "pods")) : [];
  const pods = all.filter((pod) => isOwnedBy(pod, maker?.metadata?.uid));
  const podEvents = new Map<string, readonly Happening[]>();
  for (const { metadata } of pods.filter(isWaiting).slice(0, PODS_MAX))
    podEvents.set(metadata?.name ?? "", await reader.events("Pod", metadata?.name ?? ""));
  const ofSet =
    maker && maker !== whole ? await reader.events("ReplicaSet", maker.metadata?.name ?? "") : [];
  return explainWorkload({
    kind,
    workload: whole as Workload,
    pods,
    events: [...events, ...ofSet],
    podEvents,
    limits: {
      quotas: await reader.list<V1ResourceQuota>(reader.path("/api/v1", "resourcequotas")),
      limitRanges: await reader.list<V1LimitRange>(reader.path("/api/v1", "limitranges")),
    },
  });
}

function isWaiting({ status }: V1Pod): boolean {
  return !status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
}

/** The ReplicaSet that a Deployment makes its Pods with now. */
async function newestSet(
  reader: WhyReader,
  { metadata }: Whole,
): Promise<V1ReplicaSet | undefined> {
  const sets = await reader.list<V1ReplicaSet>(reader.path("/apis/apps/v1", "replicasets"));
  const revision = (set: V1ReplicaSet): number =>
    Number(set.metadata?.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
  return sets
    .filter((set) => isOwnedBy(set, metadata.uid))
    .reduce<V1ReplicaSet | undefined>(
      (best, set) => (!best || revision(set) > revision(best) ? set : best),
      undefined,
    );
}

function isOwnedBy(
  { metadata }: { readonly metadata?: V1ObjectMeta },
  uid: string | undefined,
): boolean {
  return (metadata?.ownerReferences ?? []).some((owner) => owner.controller && owner.uid === uid);
}
