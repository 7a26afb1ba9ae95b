/** What a request of the kubelet's API asks for. */
export type Route =
  | { readonly kind: "health" }
  | { readonly kind: "pods" }
  | { readonly kind: "metrics" }
  | { readonly kind: "resourceMetrics" }
  | { readonly kind: "cadvisorMetrics" }
  | { readonly kind: "probeMetrics" }
  | { readonly kind: "statsSummary" }
  | ({ readonly kind: "logs" } & ContainerPath)
  | ({ readonly kind: "run" } & ContainerPath)
  | ({ readonly kind: "exec" } & ContainerPath)
  | ({ readonly kind: "attach" } & ContainerPath)
  | { readonly kind: "portForward"; readonly namespace: string; readonly pod: string };

export interface ContainerPath {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const FIXED: Readonly<Record<string, Route>> = {
  "/healthz": { kind: "health" },
  "/pods": { kind: "pods" },
  "/metrics": { kind: "metrics" },
  "/metrics/resource": { kind: "resourceMetrics" },
  "/metrics/cadvisor": { kind: "cadvisorMetrics" },
  "/metrics/probes": { kind: "probeMetrics" },
  "/stats/summary": { kind: "statsSummary" },
};

const CONTAINER_ROUTES: Readonly<Record<string, "logs" | "run" | "exec" | "attach">> = {
  containerLogs: "logs",
  run: "run",
  exec: "exec",
  attach: "attach",
};

/** What a path asks for; `undefined`: nothing that is served. @spec k8s@1.36 pkg/kubelet/server/server.go */
export function routeOf(path: string): Route | undefined {
  const bare = path.replace(/\/$/, "");
  if (Object.hasOwn(FIXED, bare)) return FIXED[bare];
  const [, verb = "", namespace, pod, ...rest] = path.split("/").map(decode);
  if (!namespace || !pod) return undefined;
  if (verb === "portForward" && rest.length <= 1) return { kind: "portForward", namespace, pod };
  const kind = Object.hasOwn(CONTAINER_ROUTES, verb) ? CONTAINER_ROUTES[verb] : undefined;
  const container = rest.at(-1);
  if (!kind || !container || rest.length > 2) return undefined;
  return { kind, namespace, pod, container };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The node subresource that guards a path. @spec k8s@1.36 pkg/kubelet/server/auth.go */
export function subresourceOf(
  path: string,
): "metrics" | "stats" | "log" | "pods" | "healthz" | "proxy" {
  if (path.startsWith("/metrics")) return "metrics";
  if (path.startsWith("/stats")) return "stats";
  if (path.startsWith("/logs")) return "log";
  if (path === "/pods" || path === "/pods/") return "pods";
  return path.startsWith("/healthz") ? "healthz" : "proxy";
}
