import type { Logger } from "../base/logger.ts";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import type { Cache } from "../client/cache.ts";
import type { V1Pod } from "../gen/types.ts";
import { PodWorker, type WorkerTools } from "./pod-worker.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { Rejection } from "./plan/admission.ts";
import { ResizeQueue } from "./resize-queue.ts";
import { RuntimeEvents, type WatchRuntime } from "./runtime-events.ts";
import { rejectedStatus } from "./status/rejected-status.ts";
import { LABEL_POD_NAME, LABEL_POD_NAMESPACE } from "./runtime/labels.ts";

/** One Pod's remains on this node. */
export interface Remains {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What runs Pods; `start-kubelet.ts` makes the real ones. */
export interface PodRunnerParts {
  readonly cache: Cache;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly objects: ReferencedObjects;
  readonly watchRuntime: WatchRuntime;
  /** Sandboxes and containers that this node's kubelet made, by Pod. */
  readonly listRemains: () => Promise<readonly Remains[]>;
  /** Removes files of Pods that are neither wanted nor in the runtime. */
  readonly sweepFiles: (known: ReadonlySet<string>) => Promise<void>;
  /** Whether a Pod may run beside those that are active here. */
  readonly admit: (pod: V1Pod, active: readonly V1Pod[]) => Rejection | undefined;
  /** The node's resources for Pods. */
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly worker: Omit<WorkerTools, "onRuntime" | "onDone" | "onSize">;
}

/**
 * Runs the Pods that are bound to one node: one worker for each, fed by the API server's watch and the runtime's events.
 *
 * After a restart it adopts what runs, and ends what nobody wants any more; what other kubelets made it does not touch.
 */
export class PodRunner {
  readonly #parts: PodRunnerParts;
  readonly #events: RuntimeEvents;
  readonly #workers = new Map<string, PodWorker>();
  readonly #resizes: ResizeQueue;
  readonly #abort = new AbortController();
  #known: ReadonlySet<string> = new Set();
  /** Uids of Pods that were refused; their end may not show in the cache yet. */
  readonly #rejected = new Set<string>();

  constructor(parts: PodRunnerParts) {
    this.#parts = parts;
    const { clock } = parts.worker;
    this.#resizes = new ResizeQueue(clock, () => this.workers, parts.allocatable);
    this.#events = new RuntimeEvents(
      clock,
      parts.logger,
      (uid, endedId) => {
        const worker = this.#workers.get(uid);
        void (endedId === undefined ? worker?.runtimeChanged() : worker?.ended(endedId));
      },
      () => this.#refreshAll(),
    );
  }

  /** Resolves when all Pods of this node have a worker. */
  async start(): Promise<void> {
    const { cache, listRemains, watchRuntime, sweepFiles } = this.#parts;
    void this.#events.run(watchRuntime, this.#abort.signal);
    const [remains] = await Promise.all([listRemains(), cache.sync(Pod), cache.sync(Service)]);
    this.#known = new Set(remains.map(({ uid }) => uid));
    cache.onChange(Pod, ({ old, object }) =>
      this.#changed(old as V1Pod | undefined, object as V1Pod | undefined),
    );
    const pods = [...cache.list(Pod)].sort((a, b) => createdAt(a).localeCompare(createdAt(b)));
    for (const pod of pods) this.#changed(undefined, pod);
    for (const remain of remains) if (!this.#workers.has(remain.uid)) this.#endOrphan(remain);
    await sweepFiles(new Set(this.#workers.keys()));
  }

  /** The worker of the Pod with that name. */
  find(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].find(
      ({ pod: { metadata } }) => metadata?.namespace === namespace && metadata?.name === name,
    );
  }

  get workers(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  /** The node gained or lost what Pods wait for. */
  nodeChanged(): void {
    for (const worker of this.#workers.values()) worker.nodeChanged();
  }

  /** Other volumes are attached to the node than before. */
  attachmentsChanged(): void {
    for (const worker of this.#workers.values()) worker.attachmentsChanged();
  }

  /** An object that this Pod reads has changed. */
  objectsChanged(uid: string): void {
    this.#workers.get(uid)?.objectsChanged();
  }

  /** Stops looking. Containers run on. */
  close(): void {
    this.#abort.abort();
    this.#resizes.close();
    for (const worker of this.#workers.values()) worker.close();
    this.#parts.objects.close();
    this.#parts.worker.statuses.close();
  }

  #changed(old: V1Pod | undefined, pod: V1Pod | undefined): void {
    if (this.#abort.signal.aborted) return;
    const uid = pod?.metadata?.uid;
    const oldUid = old?.metadata?.uid;
    if (oldUid !== undefined && oldUid !== uid) {
      this.#rejected.delete(oldUid);
      this.#workers.get(oldUid)?.gone();
    }
    if (!pod || uid === undefined || pod.spec?.nodeName !== this.#parts.nodeName) return;
    const worker = this.#workers.get(uid);
    if (worker) return worker.update(pod);
    if (isOver(pod) && !this.#known.has(uid) && !pod.metadata?.deletionTimestamp) return;
    if (!pod.metadata?.deletionTimestamp && this.#isRejected(uid, pod)) return;
    this.#parts.objects.follow(pod);
    this.#add(uid, pod);
  }

  /** What runs already stays, whatever has become of the node since. */
  #isRejected(uid: string, pod: V1Pod): boolean {
    if (this.#rejected.has(uid)) return true;
    if (this.#known.has(uid)) return false;
    const { admit, worker } = this.#parts;
    const active = this.workers
      .filter(({ holdsResources }) => holdsResources)
      .map((one) => one.allocated);
    const rejection = admit(pod, active);
    if (!rejection) return false;
    this.#rejected.add(uid);
    worker.recorder.pod(pod, "Warning", rejection.reason, rejection.message);
    worker.statuses.set(pod, rejectedStatus(pod, rejection, worker.clock.now()));
    return true;
  }

  #add(uid: string, pod: V1Pod): PodWorker {
    const worker = new PodWorker(pod, {
      ...this.#parts.worker,
      onRuntime: (owner, runtime) => this.#events.own(owner, runtime),
      onDone: (done) => this.#remove(done),
      onSize: () => this.#resizes.look(),
    });
    this.#workers.set(uid, worker);
    worker.start(!this.#known.has(uid)).catch((error: unknown) => {
      this.#parts.logger.error("pod was not started", { uid, error: String(error) });
    });
    return worker;
  }

  #remove(uid: string): void {
    this.#workers.delete(uid);
    this.#events.forget(uid);
    this.#parts.objects.release(uid);
    this.#parts.worker.statuses.forget(uid);
  }

  #endOrphan({ uid, labels }: Remains): void {
    const name = labels[LABEL_POD_NAME] ?? "";
    const namespace = labels[LABEL_POD_NAMESPACE] ?? "";
    this.#parts.logger.info("pod is no longer wanted", { pod: `${namespace}/${name}` });
    this.#add(uid, { metadata: { name, namespace, uid }, spec: { containers: [] } }).gone();
  }

  #refreshAll(): void {
    for (const worker of this.#workers.values()) void worker.runtimeChanged();
  }
}

function createdAt({ metadata }: V1Pod): string {
  return metadata?.creationTimestamp ?? "";
}

function isOver({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
