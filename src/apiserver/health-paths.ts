import { methodNotAllowed } from "../api/machinery/routing-errors.ts";
import { objectResponse, textResponse, type ApiResponse } from "./api-response.ts";
import type { ServerParts } from "./parts.ts";
import type { PathTable } from "./path-table.ts";
import type { ApiRequest } from "./request.ts";

/** One named part of the server's health. */
export interface HealthCheck {
  readonly name: string;
  /** Why it is not well; `undefined`: it is. */
  check(): string | undefined;
  /** Absent: counts for `/healthz`, `/livez` and `/readyz`. */
  readonly onlyReadiness?: boolean;
}

/** @spec k8s@1.36 apiserver server/healthz/healthz.go, server/routes/version.go */
export function addHealthPaths(
  paths: PathTable,
  parts: ServerParts,
  extra: readonly HealthCheck[],
  version: object,
): void {
  const checks = [...builtInChecks(parts), ...extra];
  for (const root of ["healthz", "livez", "readyz"]) {
    const own = checks.filter((check) => root === "readyz" || !check.onlyReadiness);
    paths.add(`/${root}`, (request) => answerAll(root, own, request));
    for (const check of own) paths.add(`/${root}/${check.name}`, () => answerOne(root, check));
  }
  paths.add("/version", (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    return objectResponse(200, version);
  });
  paths.add("/metrics", () => textResponse(200, parts.metrics.text(), "text/plain; version=0.0.4"));
  paths.add("/", () => objectResponse(200, { paths: paths.paths() }));
}

function builtInChecks(parts: ServerParts): HealthCheck[] {
  return [
    { name: "ping", check: () => undefined },
    {
      name: "etcd",
      check: () => {
        const lag = parts.store.revision() - parts.cache.revision;
        return lag > 0 ? `the cache is ${lag} revisions behind the store` : undefined;
      },
    },
    { name: "informer-sync", check: () => undefined, onlyReadiness: true },
  ];
}

function answerAll(root: string, checks: readonly HealthCheck[], request: ApiRequest): ApiResponse {
  const excluded = new Set(request.query.getAll("exclude"));
  let lines = "";
  let failed = "";
  for (const check of checks) {
    if (excluded.has(check.name)) {
      lines += `[+]${check.name} excluded: ok\n`;
      continue;
    }
    const problem = check.check();
    lines +=
      problem === undefined ? `[+]${check.name} ok\n` : `[-]${check.name} failed: ${problem}\n`;
    if (problem !== undefined) failed += failed ? `,${check.name}` : check.name;
  }
  if (failed) return textResponse(500, `${lines}${root} check failed\n`);
  if (request.query.has("verbose")) return textResponse(200, `${lines}${root} check passed\n`);
  return textResponse(200, "ok");
}

function answerOne(root: string, check: HealthCheck): ApiResponse {
  const problem = check.check();
  if (problem === undefined) return textResponse(200, "ok");
  return textResponse(500, `internal server error: ${root}/${check.name}: ${problem}\n`);
}
