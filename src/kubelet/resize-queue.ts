import type { Clock, Timer } from "../base/clock.ts";
import type { V1Pod } from "../gen/types.ts";
import { resizeVerdicts, type ResizeRequest, type ResizeVerdict } from "./plan/resize-verdicts.ts";

/** How often changes that wait are looked at when nothing happens, in ms. @spec pkg/kubelet/allocation retryDelay */
const RETRY_MS = 180_000;

/** A Pod of this node, as far as its size is concerned. The real one is `PodWorker`. */
export interface Resizable {
  /** It runs, or will: what it was granted is not free. */
  readonly holdsResources: boolean;
  readonly allocated: V1Pod;
  /** Present while the Pod asks for something else than it was granted. */
  readonly resizeRequest: ResizeRequest | undefined;
  decideResize(verdict: ResizeVerdict): void;
}

/**
 * Decides which Pods get the resources that they ask for, whenever one asks, or one gives some back.
 *
 * @spec k8s@1.36 pkg/kubelet/allocation/allocation_manager.go
 */
export class ResizeQueue {
  readonly #clock: Clock;
  readonly #pods: () => readonly Resizable[];
  readonly #allocatable: () => Readonly<Record<string, string>>;
  #timer: Timer | undefined;
  #isLooking = false;
  #isAskedAgain = false;

  constructor(
    clock: Clock,
    pods: () => readonly Resizable[],
    allocatable: () => Readonly<Record<string, string>>,
  ) {
    this.#clock = clock;
    this.#pods = pods;
    this.#allocatable = allocatable;
  }

  /** Somebody asks for more, or there may be room. Cheap when nobody asks. */
  look(): void {
    this.#isAskedAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        this.#lookOnce();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    this.#timer?.cancel();
  }

  #lookOnce(): void {
    const pods = this.#pods().filter(({ holdsResources }) => holdsResources);
    const asking = pods.flatMap((pod) =>
      pod.resizeRequest ? [[pod, pod.resizeRequest] as const] : [],
    );
    this.#timer?.cancel();
    this.#timer = undefined;
    if (asking.length === 0) return;
    const verdicts = resizeVerdicts(
      asking.map(([, request]) => request),
      pods.map(({ allocated }) => allocated),
      this.#allocatable(),
    );
    for (const [pod, { wanted }] of asking) {
      const verdict = verdicts.get(wanted.metadata?.uid ?? "");
      if (verdict) pod.decideResize(verdict);
    }
    const isDeferred = [...verdicts.values()].some(({ kind }) => kind === "Deferred");
    if (isDeferred) this.#timer = this.#clock.after(RETRY_MS, () => this.look());
  }
}
