import type { ApiResponse } from "./api-response.ts";
import type { ApiRequest, UserInfo } from "./request.ts";

/** Answers requests that are about no resource: health, version, metrics, discovery, OpenAPI. */
export type PathHandler = (
  request: ApiRequest,
  user: UserInfo,
) => ApiResponse | Promise<ApiResponse>;

/** Handlers by path: exact ones first, then the longest prefix. */
export class PathTable {
  readonly #exact = new Map<string, PathHandler>();
  #prefixes: (readonly [prefix: string, handler: PathHandler])[] = [];

  /** `path` that ends in `/*` stands for itself and everything below. */
  add(path: string, handler: PathHandler): void {
    if (!path.endsWith("/*")) return void this.#exact.set(path, handler);
    this.#exact.set(path.slice(0, -2), handler);
    this.#prefixes.push([path.slice(0, -1), handler]);
    this.#prefixes.sort(([a], [b]) => b.length - a.length);
  }

  find(path: string): PathHandler | undefined {
    const exact = this.#exact.get(path);
    if (exact) return exact;
    for (const [prefix, handler] of this.#prefixes) if (path.startsWith(prefix)) return handler;
    return path.length > 1 && path.endsWith("/") ? this.#exact.get(path.slice(0, -1)) : undefined;
  }

  /** All paths, as `GET /` lists them. */
  paths(): readonly string[] {
    return [...this.#exact.keys()].sort();
  }
}
