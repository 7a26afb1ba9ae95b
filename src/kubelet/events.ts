import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import type { Client } from "../client/client.ts";
import { EventRecorder as Recorder } from "../client/event-recorder.ts";
import type { V1Pod } from "../gen/types.ts";
import { fieldPathOf } from "./runtime/pod-spec.ts";

const SOURCE = "kubelet";

/** Events of a Pod that starts as it should. */
const ROUTINE = new Set(["Pulled", "Created", "Started"]);

/**
 * Tells the API what happened to Pods and to the node. Never fails and never waits.
 *
 * @spec k8s@1.36 pkg/kubelet (client-go tools/record)
 */
export class EventRecorder {
  readonly #recorder: Recorder;
  readonly #nodeName: string;

  constructor(client: Client, clock: Clock, random: Random, logger: Logger, nodeName: string) {
    this.#nodeName = nodeName;
    this.#recorder = new Recorder(client, clock, random, logger, {
      host: nodeName,
      isRoutine: (reason) => ROUTINE.has(reason),
    });
  }

  /** An event of a Pod, or of one of its containers. */
  pod(
    pod: V1Pod,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    container?: string,
  ): void {
    const part = container === undefined ? {} : { fieldPath: fieldPathOf(pod, container) };
    this.#recorder.record(SOURCE, { type, reason, message, regarding: pod, kind: Pod, ...part });
  }

  /** An event of this node. Upstream's kubelet names its node instead of its uid. */
  node(type: "Normal" | "Warning", reason: string, message: string): void {
    const name = this.#nodeName;
    const regarding = { metadata: { name, uid: name } };
    this.#recorder.record(SOURCE, { type, reason, message, regarding, kind: Node });
  }
}
