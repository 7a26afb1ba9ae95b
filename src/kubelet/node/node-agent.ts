import { backoffMs, type BackoffLimits } from "../../base/backoff.ts";
import { formatMicroTime, type Clock, type Instant, type Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { Lease } from "../../api/coordination/lease.ts";
import { Node } from "../../api/core/node.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { V1Lease, V1Node, V1NodeStatus, V1OwnerReference } from "../../gen/types.ts";
import type { CriClient, RuntimeCondition } from "../../wire/cri/cri-client.ts";
import type { EventRecorder } from "../events.ts";
import type { Pressure } from "../plan/eviction.ts";
import type { Machine } from "../executor/machine.ts";
import { tellDriver } from "./csi-node.ts";
import {
  isNews,
  isReady,
  newNode,
  nodeLabels,
  nodeStatus,
  type NodeIdentity,
} from "./node-status.ts";

/** Between Lease renewals and looks, in ms. @spec k8s@1.36 kubelet config nodeStatusUpdateFrequency. Doubled, a dead node is noticed later. */
const BEAT_MS = 10_000;
/** Between status writes without news, in ms. @spec k8s@1.36 kubelet config nodeStatusReportFrequency */
const REPORT_MS = 300_000;
/** Life of the Lease. @spec k8s@1.36 kubelet config nodeLeaseDurationSeconds */
const LEASE_SECONDS = 40;
const LEASE_NAMESPACE = "kube-node-lease";
/** Between looks until the node is Ready: its start is waited for. */
const UNREADY_LOOKS: BackoffLimits = { firstMs: 20, ceilingMs: 1000 };

/** What else is known of the node while it runs. */
export interface NodeCondition {
  /** The runtime was asked, and says this. */
  learn(conditions: readonly RuntimeCondition[]): void;
  /** What the node is short of now. */
  pressures(): ReadonlySet<Pressure>;
  /** Names of attachable volumes that Pods of the node have or wait for. */
  volumesInUse(): readonly string[];
  /** The Node as the API has it, and the revision up to which that is known. */
  known(): { readonly node: V1Node | undefined; readonly revision: number };
}

/**
 * Registers the node, and tells the API server that it lives and how it is.
 *
 * A Node that somebody deletes while the kubelet runs is registered again with the next look, and reported at once. Upstream's stays
 * away until its kubelet is started again, though its Pods run on.
 * @spec k8s@1.36 pkg/kubelet/kubelet_node_status.go; component-helpers/apimachinery/lease
 */
export class NodeAgent {
  readonly #client: Client;
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #recorder: EventRecorder;
  readonly #identity: NodeIdentity;
  readonly #machine: Machine;
  readonly #condition: NodeCondition;
  #status: V1NodeStatus | undefined;
  #reportedAt: Instant = 0;
  #lease: V1Lease | undefined;
  #nodeUid = "";
  /** Of the Node whose CSINode names our driver. */
  #toldUid = "";
  /** The revision at which the Node was seen last when it was registered. */
  #registeredAt = 0;
  #looks = 0;
  #isRegistered: Promise<void> | undefined;
  #checking: Promise<void> = Promise.resolve();
  /** A look that has not begun yet. */
  #nextCheck: Promise<void> | undefined;
  #timers: Timer[] = [];
  #isClosed = false;

  constructor(
    client: Client,
    cri: CriClient,
    clock: Clock,
    logger: Logger,
    recorder: EventRecorder,
    identity: NodeIdentity,
    machine: Machine,
    condition: NodeCondition,
  ) {
    this.#client = client;
    this.#cri = cri;
    this.#clock = clock;
    this.#logger = logger;
    this.#recorder = recorder;
    this.#identity = identity;
    this.#machine = machine;
    this.#condition = condition;
  }

  /** Resolves when the node is registered; looks and beats go on. */
  async start(): Promise<void> {
    this.#isRegistered = this.#register();
    await this.#isRegistered;
    this.#recorder.node("Normal", "Starting", "Starting kubelet.");
    void this.#beat();
    void this.#look();
  }

  /** Looks now: the network was just configured. */
  poke(): void {
    this.#looks = 0;
    this.#timers[0]?.cancel();
    void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
  }

  async #register(): Promise<void> {
    for (let failures = 0; !this.#isClosed; failures++) {
      try {
        return await this.#registerOnce();
      } catch (error) {
        this.#logger.warning("node was not registered", { error: String(error) });
        const waitMs = backoffMs({ firstMs: 200, ceilingMs: 7000 }, failures + 1);
        await new Promise<void>((resolve) => void this.#clock.after(waitMs, resolve));
      }
    }
  }

  async #registerOnce(): Promise<void> {
    const { name } = this.#identity;
    try {
      this.#registered(await this.#client.create(Node, newNode(this.#identity, this.#machine)));
    } catch (error) {
      if (!isStatusError(error, "AlreadyExists")) throw error;
      const known = await this.#client.get(Node, { name });
      this.#registered(known);
      const labels = nodeLabels(this.#identity, this.#machine);
      const missing = Object.entries(labels).some(
        ([key, value]) => known.metadata?.labels?.[key] !== value,
      );
      if (missing)
        await this.#client.patch(Node, { name }, { type: "merge", body: { metadata: { labels } } });
    }
  }

  /** What was known of an earlier Node of this name is past. */
  #registered({ metadata, status }: V1Node): void {
    this.#nodeUid = metadata?.uid ?? "";
    this.#registeredAt = Number(metadata?.resourceVersion ?? 0);
    this.#status = status?.conditions ? status : undefined;
    this.#lease = undefined;
  }

  /** Somebody deleted the Node that was registered: whatever has its name now is another. */
  #isGone(): boolean {
    const { node, revision } = this.#condition.known();
    return revision >= this.#registeredAt && node?.metadata?.uid !== this.#nodeUid;
  }

  async #look(): Promise<void> {
    await this.check();
    if (this.#isClosed) return;
    const waitMs = isReady(this.#status) ? BEAT_MS : backoffMs(UNREADY_LOOKS, ++this.#looks);
    this.#timers[0] = this.#clock.after(waitMs, () => void this.#look());
  }

  /** Resolves when the API has these among the volumes in use; false: it was not reached. */
  async tellVolumesInUse(names: readonly string[]): Promise<boolean> {
    await this.#isRegistered;
    // A look that has read the names already may be about to write them without these.
    await this.#checking;
    const isTold = (): boolean =>
      names.every((name) => this.#status?.volumesInUse?.includes(name) ?? false);
    if (isTold()) return true;
    await this.check();
    return isTold();
  }

  /** Reads the runtime, and writes the status where it is news: one look at a time, one more at most after it. Never throws. */
  check(): Promise<void> {
    this.#nextCheck ??= this.#checking
      .then(() => {
        this.#nextCheck = undefined;
        return this.#check();
      })
      .then(() => this.#tellDriver());
    this.#checking = this.#nextCheck;
    return this.#nextCheck;
  }

  /** After the status: nobody waits for it to call the node Ready. */
  async #tellDriver(): Promise<void> {
    if (this.#toldUid === this.#nodeUid || this.#isClosed) return;
    const uid = this.#nodeUid;
    await tellDriver(this.#client, this.#identity.name, uid).then(
      () => void (this.#toldUid = uid),
      (error: unknown) => this.#logger.warning("CSINode was not written", { error: String(error) }),
    );
  }

  async #check(): Promise<void> {
    try {
      if (this.#isGone()) await this.#registerOnce();
      const now = this.#clock.now();
      const next = nodeStatus(
        this.#identity,
        this.#machine,
        await this.#runtime(),
        withCapacity(this.#status, this.#condition.known().node?.status?.capacity),
        now,
      );
      if (!isNews(this.#status, next) && now - this.#reportedAt < REPORT_MS) return;
      const { name } = this.#identity;
      const patch = {
        type: "strategic",
        body: { status: withoutGone(next, this.#status) },
      } as const;
      await this.#client.patch(Node, { name }, patch, { subresource: "status" });
      if (isReady(next) && !isReady(this.#status))
        this.#recorder.node("Normal", "NodeReady", `Node ${name} status is now: NodeReady`);
      this.#status = next;
      this.#reportedAt = now;
    } catch (error) {
      this.#logger.warning("node status was not written", { error: String(error) });
      if (isStatusError(error, "NotFound") && !this.#isClosed) await this.#register();
    }
  }

  async #runtime(): Promise<Parameters<typeof nodeStatus>[2]> {
    const pressures = this.#condition.pressures();
    const volumesInUse = this.#condition.volumesInUse();
    try {
      const [version, conditions, images] = await Promise.all([
        this.#cri.version(),
        this.#cri.status(),
        this.#cri.listImages(),
      ]);
      this.#condition.learn(conditions);
      const { runtimeName, runtimeVersion } = version;
      return {
        version: `${runtimeName}://${runtimeVersion.split("~")[0]}`,
        conditions,
        images,
        pressures,
        volumesInUse,
      };
    } catch (error) {
      const message = (error as Error).message;
      const down = { type: "RuntimeReady", status: false, reason: "Unreachable", message };
      const known = this.#status?.nodeInfo?.containerRuntimeVersion ?? "";
      return { version: known, conditions: [down], images: [], pressures, volumesInUse };
    }
  }

  async #beat(): Promise<void> {
    await this.#renew().catch((error: unknown) => {
      this.#lease = undefined;
      this.#logger.warning("node lease was not renewed", { error: String(error) });
    });
    if (!this.#isClosed) this.#timers[1] = this.#clock.after(BEAT_MS, () => void this.#beat());
  }

  async #renew(): Promise<void> {
    const { name } = this.#identity;
    const key = { namespace: LEASE_NAMESPACE, name };
    const renewTime = formatMicroTime(this.#clock.now());
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    const known = this.#lease ?? (await this.#client.get(Lease, key).catch(absent));
    const ownerReferences = this.#owners(known?.metadata?.ownerReferences);
    this.#lease = known
      ? await this.#client.update(Lease, {
          ...known,
          metadata: { ...known.metadata, ownerReferences },
          spec: { ...known.spec, ...spec },
        })
      : await this.#client.create(Lease, {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { ...key, ownerReferences },
          spec,
        });
  }

  /** The Lease goes with the Node that is registered now, not with an earlier one. */
  #owners(others: readonly V1OwnerReference[] = []): V1OwnerReference[] {
    const { name } = this.#identity;
    const isNode = ({ apiVersion, kind }: V1OwnerReference): boolean =>
      apiVersion === "v1" && kind === "Node";
    return [
      ...others.filter((owner) => !isNode(owner)),
      { apiVersion: "v1", kind: "Node", name, uid: this.#nodeUid },
    ];
  }
}

function absent(error: unknown): undefined {
  if (!isStatusError(error, "NotFound")) throw error;
  return undefined;
}

function withCapacity(
  status: V1NodeStatus | undefined,
  capacity: V1NodeStatus["capacity"],
): V1NodeStatus | undefined {
  return capacity ? { ...status, capacity } : status;
}

/** A patch leaves in a map what it does not name. */
function withoutGone(next: V1NodeStatus, old: V1NodeStatus | undefined): object {
  const inUse = next.volumesInUse ?? (old?.volumesInUse ? null : undefined);
  return {
    ...withoutGoneAmounts(next, old),
    ...(inUse === undefined ? {} : { volumesInUse: inUse }),
  };
}

function withoutGoneAmounts(next: V1NodeStatus, old: V1NodeStatus | undefined): object {
  const names = Object.keys(old?.allocatable ?? {});
  const gone = names.filter((name) => next.allocatable?.[name] === undefined);
  if (gone.length === 0) return next;
  const nothing = Object.fromEntries(gone.map((name) => [name, null]));
  return { ...next, allocatable: { ...next.allocatable, ...nothing } };
}
