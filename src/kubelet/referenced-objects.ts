import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { ConfigMap } from "../api/core/config-map.ts";
import { Secret } from "../api/core/secret.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Client } from "../client/client.ts";
import { ListWatch } from "../client/list-watch.ts";
import type { V1ConfigMap, V1Pod, V1Secret } from "../gen/types.ts";
import type { ObjectSource } from "./env/environment.ts";
import { referencesOf, type Reference } from "./volumes/references.ts";

/** One followed object, for as long as a Pod refers to it. */
class Followed {
  readonly users = new Set<string>();
  object: KubeObject | undefined;
  isKnown = false;
  readonly #abort = new AbortController();
  readonly #waiting: (() => void)[] = [];

  close(): void {
    this.#abort.abort();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  set(object: KubeObject | undefined): void {
    this.object = object;
    this.isKnown = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  known(): Promise<void> {
    return this.isKnown ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * The ConfigMaps and Secrets that the Pods of this node read, kept in step by one watch for each object.
 *
 * Why not one watch for all: a node may read only what its Pods refer to (Node authorizer).
 * @spec k8s@1.36 pkg/kubelet/util/manager/watch_based_manager.go
 */
export class ReferencedObjects {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #followed = new Map<string, Followed>();
  readonly #onChange: (podUid: string) => void;

  /** `onChange`: an object that this Pod reads has changed since it was first known. */
  constructor(
    client: Client,
    clock: Clock,
    random: Random,
    logger: Logger,
    onChange: (podUid: string) => void,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#onChange = onChange;
  }

  /** Begins to follow everything the Pod refers to. Idempotent. */
  follow(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    const namespace = pod.metadata?.namespace ?? "";
    for (const reference of referencesOf(pod)) {
      const key = keyOf(namespace, reference);
      const followed = this.#followed.get(key) ?? this.#start(key, namespace, reference);
      followed.users.add(uid);
    }
  }

  /** Resolves once it is known of every object whether it exists. */
  async ready(pod: V1Pod): Promise<void> {
    this.follow(pod);
    const namespace = pod.metadata?.namespace ?? "";
    await Promise.all(
      referencesOf(pod).map((reference) =>
        this.#followed.get(keyOf(namespace, reference))?.known(),
      ),
    );
  }

  /** Stops following what only this Pod referred to. */
  release(podUid: string): void {
    for (const [key, followed] of this.#followed) {
      if (!followed.users.delete(podUid) || followed.users.size > 0) continue;
      followed.close();
      this.#followed.delete(key);
    }
  }

  /** The objects of one namespace, as far as they are followed. */
  source(namespace: string): ObjectSource {
    const get = (kind: Reference["kind"], name: string): KubeObject | undefined =>
      this.#followed.get(keyOf(namespace, { kind, name }))?.object;
    return {
      configMap: (name) => get("ConfigMap", name) as V1ConfigMap | undefined,
      secret: (name) => get("Secret", name) as V1Secret | undefined,
    };
  }

  close(): void {
    for (const followed of this.#followed.values()) followed.close();
    this.#followed.clear();
  }

  #start(key: string, namespace: string, { kind, name }: Reference): Followed {
    const followed = new Followed();
    this.#followed.set(key, followed);
    const set = (object: KubeObject | undefined): void => {
      const isNews = followed.isKnown && followed.object !== object;
      followed.set(object);
      if (isNews) for (const uid of followed.users) this.#onChange(uid);
    };
    const served: Kind = kind === "ConfigMap" ? ConfigMap : Secret;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    const machine = new ListWatch(
      this.#client,
      served,
      selection,
      this.#clock,
      this.#random,
      this.#logger,
      {
        replace: (objects) => set(objects[0]),
        apply: (event) => {
          if (event.type !== "BOOKMARK") set(event.type === "DELETED" ? undefined : event.object);
        },
      },
    );
    void machine.run(followed.signal);
    return followed;
  }
}

function keyOf(namespace: string, { kind, name }: Reference): string {
  return `${kind} ${namespace}/${name}`;
}
