import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1Node,
  V1Pod,
  V1Probe,
} from "../../gen/types.ts";
import { formatTime, parseTime } from "../../base/clock.ts";
import { commandFor, newest, timeOf, told, type Finding, type Happening } from "./finding.ts";

/**
 * What a Pod that has a node waits for, or what has failed. None: it is Ready, or has done its work.
 *
 * `events`: those about the Pod. `node`: the Pod's, where it is known.
 * @spec k8s@1.36 pkg/kubelet: the reasons and messages of container states, events and conditions
 */
export function podWaits(
  pod: V1Pod,
  events: readonly Happening[],
  node?: V1Node,
): readonly Finding[] {
  const { phase } = pod.status ?? {};
  const { isSilent, problem } = nodeTrouble(node) ?? {};
  const silence = isSilent ? problem : undefined;
  const ofNode = problem ? [{ problem, more: `skiff why node/${pod.spec?.nodeName}` }] : [];
  if (pod.metadata?.deletionTimestamp) return [leaving(pod, silence), ...(isSilent ? [] : ofNode)];
  if (phase === "Succeeded") return [];
  if (phase === "Failed") return failed(pod);
  return isSilent ? ofNode : [...ownWaits(pod, events), ...ofNode];
}

/** As the kubelet tells it. */
function ownWaits(pod: V1Pod, events: readonly Happening[]): readonly Finding[] {
  const { spec, status } = pod;
  if (!status?.containerStatuses?.length) return [unseen(pod, events)];
  const initial = firstUnfinished(pod);
  if (initial) return [waitOf(pod, initial, events, true)];
  const waits = (spec?.containers ?? []).flatMap((container) => {
    const own = status.containerStatuses!.find(({ name }) => name === container.name);
    return own?.ready ? [] : [waitOf(pod, { container, status: own }, events, false)];
  });
  return [...waits, ...gates(pod), ...resize(pod)];
}

interface Part {
  readonly container: V1Container;
  readonly status: V1ContainerStatus | undefined;
}

function describe({ metadata }: V1Pod): string {
  return commandFor(metadata?.namespace, `describe pod ${metadata?.name}`);
}

function logs({ metadata }: V1Pod, container: string, previous = ""): string {
  return commandFor(metadata?.namespace, `logs ${metadata?.name} -c ${container}${previous}`);
}

/**
 * That the node is not ready; `undefined`: it is, or is not known.
 *
 * `isSilent`: its kubelet tells nothing any more. One that says itself that it is not ready lives, and ends Pods.
 * @spec k8s@1.36 node_lifecycle_controller.go tryUpdateNodeHealth: only `Unknown` is the controller's own
 */
function nodeTrouble(
  node: V1Node | undefined,
): { readonly isSilent: boolean; readonly problem: string } | undefined {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  if (!ready || ready.status === "True") return undefined;
  return {
    isSilent: ready.status === "Unknown",
    problem: `its node ${node?.metadata?.name} is not ready: ${told(ready.reason, ready.message)}`,
  };
}

function leaving(pod: V1Pod, silence: string | undefined): Finding {
  const { metadata, spec } = pod;
  const { deletionTimestamp = "", deletionGracePeriodSeconds = 0 } = metadata ?? {};
  const begun = parseTime(String(deletionTimestamp)) - deletionGracePeriodSeconds * 1000;
  const since = `It is being deleted since ${formatTime(begun)}`;
  const finalizers = metadata?.finalizers ?? [];
  if (silence)
    return {
      problem: `${since}, and ${silence}`,
      remedy:
        `that node back; or, if it is off for good, kubectl taint node ${spec?.nodeName} ` +
        `node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, or ` +
        commandFor(metadata?.namespace, `delete pod ${metadata?.name} --force --grace-period=0`),
      more: `skiff why node/${spec?.nodeName}`,
    };
  if (finalizers.length === 0) {
    const grace = deletionGracePeriodSeconds > 0 ? `, and have until ${deletionTimestamp}` : "";
    return { problem: `${since}: its containers are ending${grace}` };
  }
  return {
    problem: `${since} and is kept by finalizers: ${finalizers.join(", ")}`,
    remedy: "whoever set them must remove them when its work is done",
  };
}

function failed(pod: V1Pod): readonly Finding[] {
  const { reason, message, containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const own = told(reason, message);
  const ended = [...initContainerStatuses, ...containerStatuses].filter(
    ({ state }) => (state?.terminated?.exitCode ?? 0) !== 0,
  );
  return [
    ...(own || ended.length === 0 ? [{ problem: `It has failed${own && `: ${own}`}` }] : []),
    ...ended.map(({ name, state }) => ({
      problem: `container ${name} ${endOf(state!.terminated!)}`,
      more: logs(pod, name),
    })),
  ];
}

function endOf({ reason, exitCode, signal, message }: NonNullable<V1ContainerState["terminated"]>) {
  const how = signal ? `was ended by signal ${signal}` : `ended with exit code ${exitCode}`;
  const why = reason && reason !== "Error" ? ` (${reason})` : "";
  return `${how}${why}${message ? `: ${message}` : ""}`;
}

/** No container of it has a status: its node has not begun, or cannot. */
function unseen(pod: V1Pod, events: readonly Happening[]): Finding {
  const event = setUpTrouble(events);
  if (event) return { ...trouble(event), more: describe(pod) };
  return {
    problem: `the kubelet of ${pod.spec?.nodeName} has not begun with it`,
    more: `skiff why node/${pod.spec?.nodeName}`,
  };
}

function setUpTrouble(events: readonly Happening[]): Happening | undefined {
  return newest(
    events,
    "FailedMount",
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
    "NetworkNotReady",
  );
}

function trouble({ reason, message }: Happening): Finding {
  const text = message ?? "";
  const remedy = text.startsWith("Multi-Attach error") ? DETACH : missingObject(text);
  return { problem: told(reason, message), ...(remedy && { remedy }) };
}

/** A volume stays with a node until its kubelet has unmounted it, or is known not to run. */
const DETACH =
  "the Pods that use it on its other node (kubectl get volumeattachments) would have to go; is that node off for good: " +
  "kubectl taint node NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";

/** Of messages that name what is not there. */
function missingObject(message: string): string | undefined {
  const found =
    /\b(secret|configmap|serviceaccount|persistentvolumeclaim) "([^"]+)" not found/i.exec(message);
  if (found) return `create the ${found[1]!.toLowerCase()} ${found[2]}, or mark it optional`;
  const key = /couldn't find key (\S+) in (\w+) (\S+)/i.exec(message);
  if (key) return `add the key ${key[1]} to the ${key[2]!.toLowerCase()} ${key[3]}`;
  return undefined;
}

/** The first init container that the others wait for; a sidecar is done when it has started. */
function firstUnfinished({ spec, status }: V1Pod): Part | undefined {
  for (const container of spec?.initContainers ?? []) {
    const own = status?.initContainerStatuses?.find(({ name }) => name === container.name);
    const isSidecar = container.restartPolicy === "Always";
    const isDone = isSidecar ? own?.started === true : own?.state?.terminated?.exitCode === 0;
    if (!isDone) return { container, status: own };
  }
  return undefined;
}

function waitOf(
  pod: V1Pod,
  { container, status }: Part,
  events: readonly Happening[],
  isInit: boolean,
): Finding {
  const name = `${isInit ? "init " : ""}container ${container.name}`;
  const { waiting, terminated, running } = status?.state ?? {};
  if (running) return runningUnready(pod, container, status!, events, isInit ? name : undefined);
  if (terminated)
    return { problem: `${name} ${endOf(terminated)}`, more: logs(pod, container.name) };
  const { reason = "", message } = waiting ?? {};
  if (reason === "CrashLoopBackOff") return crashing(pod, name, container, status!, events);
  if (reason === "" || reason === "ContainerCreating" || reason === "PodInitializing")
    return preparing(pod, name, container, events);
  const remedy = REMEDIES[reason]?.(container) ?? missingObject(message ?? "");
  return {
    problem: `${name} waits: ${told(reason, message)}`,
    ...(remedy && { remedy }),
    more: describe(pod),
  };
}

function pullRemedy({ image }: V1Container): string {
  return (
    `check the name and tag of ${image} and that its registry answers (a private one: imagePullSecrets), ` +
    `or bring it with 'skiff image load'`
  );
}

const REMEDIES: Readonly<Record<string, (container: V1Container) => string>> = {
  ErrImagePull: pullRemedy,
  ImagePullBackOff: pullRemedy,
  ErrImageNeverPull: ({ image }) =>
    `imagePullPolicy is Never and ${image} is not on the node: 'skiff image load', or another policy`,
  InvalidImageName: ({ image }) => `'${image}' is not the name of an image`,
};

function crashing(
  pod: V1Pod,
  name: string,
  container: V1Container,
  { lastState, restartCount }: V1ContainerStatus,
  events: readonly Happening[],
): Finding {
  const last = lastState?.terminated;
  const times = `${restartCount} restart${restartCount === 1 ? "" : "s"}`;
  const limit = container.resources?.limits?.["memory"];
  const killing = newest(
    events.filter(
      (event) =>
        event.message?.startsWith(`Container ${container.name} failed `) &&
        !isBefore(event, last?.startedAt),
    ),
    "Killing",
  );
  const probe = /failed (liveness|startup) probe/.exec(killing?.message ?? "")?.[1];
  const asked = probe === "startup" ? container.startupProbe : container.livenessProbe;
  return {
    problem: `${name} waits: CrashLoopBackOff after ${times}${last ? `; it last ${endOf(last)}` : ""}`,
    ...(probe &&
      asked && {
        remedy: `it was killed for its ${probe} probe (${probeText(asked)}), which would have to succeed`,
      }),
    ...(last?.reason === "OOMKilled" && {
      remedy: `more than its memory limit${limit ? ` of ${limit}` : ""}, or a program that needs less`,
    }),
    more: logs(pod, container.name, " --previous"),
  };
}

/** Whether it is older than `time`; not where one of them is not known. */
function isBefore(event: Happening, time: string | null | undefined): boolean {
  return parseTime(timeOf(event)) < parseTime(String(time));
}

function preparing(
  pod: V1Pod,
  name: string,
  { image }: V1Container,
  events: readonly Happening[],
): Finding {
  const event = setUpTrouble(events);
  const pulling = newest(events, "Pulling", "Pulled");
  if (pulling?.reason === "Pulling" && pulling.message?.includes(`"${image}"`))
    return { problem: `${name} waits for its image: ${pulling.message}`, more: describe(pod) };
  if (event) return { ...trouble(event), more: describe(pod) };
  return { problem: `${name} is being created`, more: describe(pod) };
}

/** `init`: what it is called, of an init container. */
function runningUnready(
  pod: V1Pod,
  container: V1Container,
  { name, started, state }: V1ContainerStatus,
  events: readonly Happening[],
  init: string | undefined,
): Finding {
  if (init && container.restartPolicy !== "Always") {
    const problem = `${init} has not ended: it runs since ${state?.running?.startedAt}, and the others wait for it`;
    return { problem, more: logs(pod, name) };
  }
  const kind = started === false && container.startupProbe ? "startup" : "readiness";
  const probe = kind === "startup" ? container.startupProbe : container.readinessProbe;
  const event = newest(
    events.filter(({ message }) => message?.toLowerCase().startsWith(`${kind} probe`)),
    "Unhealthy",
  );
  const title = `${init ?? `container ${name}`} runs, but is not ${kind === "startup" ? "started" : "ready"}`;
  return {
    problem: `${title}: ${event?.message ?? `its ${kind} probe has not succeeded yet`}`,
    ...(probe && { remedy: `the ${kind} probe (${probeText(probe)}) would have to succeed` }),
    more: logs(pod, name),
  };
}

/** What a probe does, in a few words. */
function probeText({ httpGet, tcpSocket, exec, grpc }: V1Probe): string {
  if (httpGet) return `HTTP GET ${httpGet.path ?? "/"} on port ${httpGet.port}`;
  if (tcpSocket) return `a connection to port ${tcpSocket.port}`;
  if (grpc) return `gRPC health on port ${grpc.port}`;
  return exec?.command ? `exec ${exec.command.join(" ")}` : "its handler";
}

function gates({ spec, status }: V1Pod): readonly Finding[] {
  return (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const own = status?.conditions?.find(({ type }) => type === conditionType);
    if (own?.status === "True") return [];
    const is = own ? `is ${own.status}${own.message ? `: ${own.message}` : ""}` : "is not there";
    return [
      {
        problem: `the condition ${conditionType}, a readiness gate, ${is}`,
        remedy: "whoever keeps that condition must set it to True",
      },
    ];
  });
}

function resize({ status }: V1Pod): readonly Finding[] {
  const pending = status?.conditions?.find(({ type }) => type === "PodResizePending");
  return pending?.status === "True"
    ? [{ problem: `it cannot be resized: ${told(pending.reason, pending.message)}` }]
    : [];
}
