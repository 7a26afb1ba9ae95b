import { ApiProbe, type Answer } from "../host/api-probe.ts";
import type { Happening } from "./explain/finding.ts";

/** A kind that the cluster serves. */
export interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly singularName: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
}

/** Reads what an explanation needs, as whoever the kubeconfig is of. */
export class WhyReader {
  readonly #probe: ApiProbe;
  readonly #namespace: string;
  readonly #unread = new Set<string>();

  constructor(kubeconfig: string, namespace: string) {
    this.#probe = new ApiProbe(kubeconfig);
    this.#namespace = namespace;
  }

  close(): void {
    this.#probe.close();
  }

  /** What would have been told besides, in the server's words why it could not be read. */
  get unread(): readonly string[] {
    return [...this.#unread];
  }

  /** The path of an object of the namespace; without a name: of all of them. */
  path(base: string, plural: string, name?: string): string {
    const all = `${base}/namespaces/${encodeURIComponent(this.#namespace)}/${plural}`;
    return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
  }

  /** @throws {Error} the server's own words, or that there was no answer. */
  async get<T>(path: string): Promise<T> {
    return bodyOf<T>(await this.#probe.get(path));
  }

  /** The items of a list; none of one that may not be read, or is not served. */
  async list<T>(path: string): Promise<readonly T[]> {
    const answer = await this.#probe.get(path);
    if (answer?.status === 403) {
      this.#unread.add((JSON.parse(answer.body) as { message?: string }).message ?? path);
      return [];
    }
    return answer?.status === 404 ? [] : bodyOf<{ items: readonly T[] }>(answer).items;
  }

  /** The events about one object. Those about an object without a namespace are in `default`. */
  events(kind: string, name: string, isNamespaced = true): Promise<readonly Happening[]> {
    const selector = `involvedObject.name=${name},involvedObject.kind=${kind}`;
    const query = `fieldSelector=${encodeURIComponent(selector)}`;
    const place = isNamespaced ? encodeURIComponent(this.#namespace) : "default";
    return this.list(`/api/v1/namespaces/${place}/events?${query}`);
  }

  /** The kind by any of its names, in the core group first, then in the preferred version of each group. */
  async resource(kind: string): Promise<{ readonly base: string; readonly resource: Resource }> {
    const { groups } = await this.get<{ groups: { preferredVersion: { groupVersion: string } }[] }>(
      "/apis",
    );
    const bases = groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`);
    for (const base of ["/api/v1", ...bases]) {
      const { resources } = await this.get<{ resources: Resource[] }>(base);
      const resource = resources.find(
        (one) => !one.name.includes("/") && namesOf(one).includes(kind),
      );
      if (resource) return { base, resource };
    }
    throw new Error(`there is no kind '${kind}': see 'kubectl api-resources'`);
  }
}

function namesOf({ name, singularName, kind, shortNames = [] }: Resource): readonly string[] {
  return [name, singularName, kind.toLowerCase(), ...shortNames];
}

function bodyOf<T>(answer: Answer | undefined): T {
  if (!answer) throw new Error("the API server does not answer: see 'skiff status'");
  const body = JSON.parse(answer.body) as T & { readonly message?: string };
  if (answer.status !== 200)
    throw new Error(body.message ?? `the API server answered ${answer.status}`);
  return body;
}
