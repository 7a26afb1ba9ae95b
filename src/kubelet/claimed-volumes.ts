import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import type { Client } from "../client/client.ts";
import type { V1Node, V1Pod, V1Volume } from "../gen/types.ts";
import {
  attachedNameOf,
  claimNameOf,
  claimProblem,
  isExternal,
  placeProblem,
  specOfClaim,
  specOfVolume,
  type VolumeSpec,
  type VolumeVerdict,
} from "./volumes/claimed-volume.ts";

/** What is known of the volumes of a Pod that come from elsewhere. */
export interface FoundVolumes {
  /** These can be mounted. */
  readonly ready: readonly VolumeSpec[];
  /** Nobody knows yet what these are. */
  readonly unprocessed: readonly Extract<VolumeVerdict, { kind: "unprocessed" }>[];
  /** Events of volumes that cannot be mounted on this node. */
  readonly refused: readonly string[];
  /** Names in the Pod of volumes that the control plane has not given to this node yet, or may not have: the Node itself is not known. */
  readonly unattached: readonly string[];
}

/** Of a Pod whose volumes are mounted. */
export const NOTHING_TO_FIND: FoundVolumes = {
  ready: [],
  unprocessed: [],
  refused: [],
  unattached: [],
};

/** What this part must know of the node. */
export interface AttachmentPort {
  /** This node as the API has it; its status names what is attached. */
  node(): Promise<V1Node | undefined>;
  /** Resolves when the API has these among the volumes in use; false: it was not reached. */
  tellInUse(names: readonly string[]): Promise<boolean>;
  /** The list of volumes in use has become shorter. */
  inUseShrank(): void;
}

/**
 * Finds the volumes behind the claims of this node's Pods, and keeps the list of those that the node uses.
 *
 * *Guarantees.* A volume that must be attached is in `status.volumesInUse` before it is mounted, and until its last Pod is torn down:
 * the control plane takes it away from the node only then.
 * Why reads and no watch: a node may only get claims and volumes, of its own Pods (Node authorizer).
 * @spec k8s@1.36 pkg/kubelet/volumemanager
 */
export class ClaimedVolumes {
  readonly #client: Client;
  readonly #port: AttachmentPort;
  /** Names of attachable volumes by the uid of a Pod that has them. */
  readonly #used = new Map<string, Set<string>>();

  constructor(client: Client, port: AttachmentPort) {
    this.#client = client;
    this.#port = port;
  }

  /** Never throws: what cannot be read is told as a volume that could not be processed. */
  async find(pod: V1Pod): Promise<FoundVolumes> {
    const volumes = (pod.spec?.volumes ?? []).filter(isExternal);
    const verdicts = await Promise.all(volumes.map((volume) => this.#verdict(pod, volume)));
    const unprocessed = verdicts.filter((one) => one.kind === "unprocessed");
    const specs = verdicts.flatMap((one) => (one.kind === "known" ? one.spec : []));
    const missing = await this.#missing(pod, specs);
    const here = specs.filter((spec) => !missing.has(spec));
    const node = here.some(({ nodeTerms }) => nodeTerms) ? await this.#port.node() : undefined;
    const isUnplaced = ({ nodeTerms }: VolumeSpec): boolean => nodeTerms !== undefined && !node;
    const problemOf = (spec: VolumeSpec): string | undefined => node && placeProblem(spec, node);
    return {
      ready: here.filter((spec) => !isUnplaced(spec) && problemOf(spec) === undefined),
      unprocessed,
      refused: here.flatMap((spec) => problemOf(spec) ?? []),
      unattached: [...missing, ...here.filter(isUnplaced)].map(({ volume }) => volume),
    };
  }

  /** What an earlier process of this node mounted for that Pod. */
  adopt(uid: string, names: readonly string[]): void {
    if (names.length > 0) this.#used.set(uid, new Set(names));
  }

  /** The Pod has nothing mounted any more. */
  release(uid: string): void {
    if (this.#used.delete(uid)) this.#port.inUseShrank();
  }

  /** Names of attachable volumes that Pods of this node have or wait for; sorted. */
  get inUse(): readonly string[] {
    return [...new Set([...this.#used.values()].flatMap((names) => [...names]))].sort();
  }

  async #verdict(pod: V1Pod, volume: V1Volume): Promise<VolumeVerdict> {
    const claimName = claimNameOf(pod, volume);
    if (claimName === undefined) return specOfVolume(volume);
    const namespace = pod.metadata?.namespace ?? "";
    const refuse = (message: string): VolumeVerdict => ({
      kind: "unprocessed",
      volume: volume.name,
      message,
    });
    const lost = (what: string) => (error: Error) =>
      `error processing PVC ${namespace}/${claimName}: failed to fetch ${what} from API server: ${error.message}`;
    const claim = await this.#client
      .get(PersistentVolumeClaim, { namespace, name: claimName })
      .catch(lost("PVC"));
    if (typeof claim === "string") return refuse(claim);
    const problem = claimProblem(pod, volume, claim);
    if (problem) return refuse(problem);
    const name = claim.spec?.volumeName ?? "";
    const persistent = await this.#client.get(PersistentVolume, { name }).catch(lost(`PV ${name}`));
    if (typeof persistent === "string") return refuse(persistent);
    return specOfClaim(pod, volume, claim, persistent);
  }

  /** Those that must be attached and are not. */
  async #missing(pod: V1Pod, specs: readonly VolumeSpec[]): Promise<ReadonlySet<VolumeSpec>> {
    const attachable = specs.filter((spec) => attachedNameOf(spec) !== undefined);
    if (attachable.length === 0) return new Set();
    const uid = pod.metadata?.uid ?? "";
    const used = this.#used.get(uid) ?? new Set();
    this.#used.set(uid, used);
    for (const spec of attachable) used.add(attachedNameOf(spec)!);
    if (!(await this.#port.tellInUse([...used]))) return new Set(attachable);
    const { status } = (await this.#port.node()) ?? {};
    const attached = new Set(status?.volumesAttached?.map(({ name }) => name));
    return new Set(attachable.filter((spec) => !attached.has(attachedNameOf(spec)!)));
  }
}
