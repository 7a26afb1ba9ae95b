import type { RuntimeEvent } from "../cri/cri-client.ts";
import type { GrpcChannel, Method } from "../grpc/channel.ts";
import { messageCodecs } from "../protobuf/codec.ts";

/** Where containerd's CRI keeps everything. */
export const CRI_NAMESPACE = "k8s.io";

/** @spec containerd@1.6 api/services/events/v1/events.proto, api/events/task.proto */
const messages = messageCodecs({
  SubscribeRequest: "filters:string[]=1",
  Any: "typeUrl:string=1 value:bytes=2",
  Envelope: "namespace:string=2 topic:string=3 event:Any=4",
  TaskEvent: "containerId:string=1",
  TaskExit: "containerId:string=1 id:string=2 pid:int=3 exitStatus:int=4",
});

interface Envelope {
  readonly namespace: string;
  readonly topic: string;
  readonly event?: { readonly typeUrl: string; readonly value: Buffer };
}

interface TaskEvent {
  readonly containerId: string;
}

interface TaskExit extends TaskEvent {
  /** The process: the container's own id, or an exec's. */
  readonly id: string;
}

const subscribe: Method<{ readonly filters: readonly string[] }, Envelope> = {
  path: "/containerd.services.events.v1.Events/Subscribe",
  request: messages("SubscribeRequest"),
  response: messages("Envelope"),
};

const TOPICS: Readonly<Record<string, RuntimeEvent["type"]>> = {
  "/tasks/start": "started",
  "/tasks/exit": "exited",
  "/tasks/oom": "oom",
};

const FILTERS = Object.keys(TOPICS).map((topic) => `topic=="${topic}",namespace==${CRI_NAMESPACE}`);

/**
 * Yields starts, exits and out-of-memory kills of containers and sandboxes until `signal` aborts. Exits of execs are
 * left out.
 *
 * @throws {RpcError} the stream broke: whoever reads lists everything again and subscribes anew.
 */
export async function* watchTasks(
  channel: GrpcChannel,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  for await (const envelope of channel.stream(subscribe, { filters: FILTERS }, signal)) {
    const event = eventOf(envelope);
    if (event) yield event;
  }
}

/** What one envelope says about a container; `undefined` for other topics and for execs. */
export function eventOf({ topic, event }: Envelope): RuntimeEvent | undefined {
  const type = TOPICS[topic];
  if (!type || !event) return undefined;
  if (type !== "exited")
    return { id: messages<TaskEvent>("TaskEvent").decode(event.value).containerId, type };
  const task = messages<TaskExit>("TaskExit").decode(event.value);
  return task.id === task.containerId ? { id: task.containerId, type } : undefined;
}
