import { Groups } from "../base/groups.ts";
import { storageClassOf } from "../api/core/persistent-volume-claim.ts";
import { BIND_COMPLETED } from "../api/storage/binding.ts";
import type {
  V1CSIDriver,
  V1CSINode,
  V1CSIStorageCapacity,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1StorageClass,
  V1VolumeAttachment,
} from "../gen/types.ts";

/** What is kept by name, and what was only decided of it. */
class Assumable<T extends { readonly metadata?: V1ObjectMeta }> {
  readonly #known = new Map<string, T>();
  readonly #assumed = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#assumed.get(key) ?? this.#known.get(key);
  }

  /** As the server has it. */
  known(key: string): T | undefined {
    return this.#known.get(key);
  }

  /** `undefined`: it is gone. A newer version ends what was assumed of an older one. */
  set(key: string, object: T | undefined): void {
    const isNewer = versionOf(object) !== versionOf(this.#known.get(key));
    if (object) this.#known.set(key, object);
    else this.#known.delete(key);
    if (isNewer) this.#assumed.delete(key);
  }

  assume(key: string, object: T): void {
    this.#assumed.set(key, object);
  }

  restore(key: string): void {
    this.#assumed.delete(key);
  }
}

function versionOf(object: { readonly metadata?: V1ObjectMeta } | undefined): string | undefined {
  return object?.metadata?.resourceVersion;
}

/** Kinds by whose objects Pods with claims are scheduled, besides nodes. */
export interface StorageObjects {
  readonly PersistentVolumeClaim: V1PersistentVolumeClaim;
  readonly PersistentVolume: V1PersistentVolume;
  readonly StorageClass: V1StorageClass;
  readonly CSIDriver: V1CSIDriver;
  readonly CSINode: V1CSINode;
  readonly CSIStorageCapacity: V1CSIStorageCapacity;
  readonly VolumeAttachment: V1VolumeAttachment;
}

/** Something of storage came, changed or went. */
export type StorageChange = {
  readonly [Resource in keyof StorageObjects]: {
    readonly kind: "storage";
    readonly resource: Resource;
    readonly namespace: string;
    readonly name: string;
    readonly old: StorageObjects[Resource] | undefined;
    readonly object: StorageObjects[Resource] | undefined;
  };
}[keyof StorageObjects];

/**
 * Claims, volumes, and what decides where they can be, kept in step with the server; plus what was decided for Pods whose volumes
 * are being bound, so that no volume is given twice.
 *
 * @spec k8s@1.36 plugins/volumebinding assume_cache.go
 */
export class Claims {
  readonly #claims = new Assumable<V1PersistentVolumeClaim>();
  readonly #volumes = new Assumable<V1PersistentVolume>();
  /** Names of volumes by their class. */
  readonly #volumesByClass = new Groups();
  readonly #classes = new Map<string, V1StorageClass>();
  readonly #drivers = new Map<string, V1CSIDriver>();
  readonly #nodes = new Map<string, V1CSINode>();
  readonly #capacities = new Map<string, V1CSIStorageCapacity>();
  readonly #attachmentsByNode = new Groups<V1VolumeAttachment>();
  #version = 0;

  /** Grows with every change: what was concluded from an older one may be wrong. */
  get version(): number {
    return this.#version;
  }

  apply(change: StorageChange): void {
    const { name, namespace } = change;
    this.#version++;
    switch (change.resource) {
      case "PersistentVolumeClaim":
        return this.#claims.set(`${namespace}/${name}`, change.object);
      case "PersistentVolume":
        return this.#setVolume(name, change.object);
      case "StorageClass":
        return put(this.#classes, name, change.object);
      case "CSIDriver":
        return put(this.#drivers, name, change.object);
      case "CSINode":
        return put(this.#nodes, name, change.object);
      case "CSIStorageCapacity":
        return put(this.#capacities, `${namespace}/${name}`, change.object);
      case "VolumeAttachment":
        return this.#setAttachment(name, change.object);
    }
  }

  claim(namespace: string, name: string): V1PersistentVolumeClaim | undefined {
    return this.#claims.get(`${namespace}/${name}`);
  }

  /** By `NAMESPACE/NAME`, as the server has it: nothing assumed. */
  knownClaim(key: string): V1PersistentVolumeClaim | undefined {
    return this.#claims.known(key);
  }

  volume(name: string): V1PersistentVolume | undefined {
    return this.#volumes.get(name);
  }

  knownVolume(name: string): V1PersistentVolume | undefined {
    return this.#volumes.known(name);
  }

  /** All volumes of a class, "" being one. */
  volumesOf(className: string): readonly V1PersistentVolume[] {
    return this.#volumesByClass.of(className).flatMap((name) => this.#volumes.get(name) ?? []);
  }

  storageClass(name: string): V1StorageClass | undefined {
    return this.#classes.get(name);
  }

  driver(name: string): V1CSIDriver | undefined {
    return this.#drivers.get(name);
  }

  csiNode(name: string): V1CSINode | undefined {
    return this.#nodes.get(name);
  }

  capacities(): Iterable<V1CSIStorageCapacity> {
    return this.#capacities.values();
  }

  /** What is attached to a node, or shall be. */
  attachmentsOn(node: string): readonly V1VolumeAttachment[] {
    return this.#attachmentsByNode.of(node);
  }

  /** Counts what was decided before the server says so. */
  assumeClaim(claim: V1PersistentVolumeClaim): void {
    this.#version++;
    this.#claims.assume(claimKey(claim), claim);
  }

  assumeVolume(volume: V1PersistentVolume): void {
    this.#version++;
    this.#volumes.assume(volume.metadata?.name ?? "", volume);
  }

  /** What was decided does not come about. */
  restoreClaim(key: string): void {
    this.#version++;
    this.#claims.restore(key);
  }

  restoreVolume(name: string): void {
    this.#version++;
    this.#volumes.restore(name);
  }

  #setVolume(name: string, volume: V1PersistentVolume | undefined): void {
    this.#volumes.set(name, volume);
    this.#volumesByClass.put(name, volume ? [storageClassOf(volume)] : [], name);
  }

  #setAttachment(name: string, attachment: V1VolumeAttachment | undefined): void {
    if (attachment) this.#attachmentsByNode.put(name, [attachment.spec.nodeName], attachment);
    else this.#attachmentsByNode.remove(name);
  }
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** `NAMESPACE/NAME`. */
export function claimKey({ metadata }: V1PersistentVolumeClaim): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

/** True once claim and volume name each other for good. @spec binder.go isPVCFullyBound */
export function isFullyBound({ metadata, spec }: V1PersistentVolumeClaim): boolean {
  return Boolean(spec?.volumeName) && BIND_COMPLETED in (metadata?.annotations ?? {});
}

/** The uid of what controls it. */
export function controllerUidOf({ metadata }: V1PersistentVolumeClaim): string | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller)?.uid;
}
