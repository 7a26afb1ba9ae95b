import { notFound } from "../../api/machinery/status-errors.ts";
import type { V1EndpointSlice, V1Node, V1Pod, V1Service } from "../../gen/types.ts";
import type { ServerParts } from "../parts.ts";
import { localKey, namespaceRange } from "../registry/keys.ts";

/** The objects that requests are passed on by, as the cache has them now. */
export class Lookup {
  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** @throws {StatusError} NotFound */
  pod(namespace: string, name: string): V1Pod {
    return this.#get("pods", namespace, name) as V1Pod;
  }

  /** @throws {StatusError} NotFound */
  service(namespace: string, name: string): V1Service {
    return this.#get("services", namespace, name) as V1Service;
  }

  /** @throws {StatusError} NotFound */
  node(name: string): V1Node {
    return this.#get("nodes", "", name) as V1Node;
  }

  /** `undefined`: there is none of this name. */
  podIfPresent(namespace: string, name: string): V1Pod | undefined {
    const part = this.#parts.cache.resource("", "pods");
    return part.get(localKey(namespace, name))?.object as V1Pod | undefined;
  }

  slices(namespace: string, service: string): readonly V1EndpointSlice[] {
    const part = this.#parts.cache.resource("discovery.k8s.io", "endpointslices");
    const [from, to] = namespaceRange(namespace);
    return part.versions
      .slice(from, to, Infinity)
      .map(({ object }) => object as V1EndpointSlice)
      .filter(({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === service);
  }

  #get(plural: string, namespace: string, name: string): object {
    const found = this.#parts.cache.resource("", plural).get(localKey(namespace, name));
    if (!found) throw notFound({ group: "", plural }, name);
    return found.object;
  }
}
