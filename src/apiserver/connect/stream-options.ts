import { booleanOf, textOf } from "../../api/machinery/query-values.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import { quoteGo } from "../../api/machinery/go-format.ts";

/** What a request to exec, attach or forward ports asks for. */
export interface StreamOptions {
  /** "": not named. */
  readonly container: string;
  /** The query for the kubelet. */
  readonly query: string;
  /** As admission sees it. */
  readonly object: { readonly apiVersion: "v1"; readonly kind: string };
}

/** Names of our parameters, and the kubelet's. @spec k8s@1.36 pkg/apis/core ExecStdinParam… */
const FLAGS = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;

/** Options of `pods/exec` and `pods/attach`. @spec k8s@1.36 core/v1 PodExecOptions, PodAttachOptions */
export function parseContainerOptions(
  kind: "PodExecOptions" | "PodAttachOptions",
  query: URLSearchParams,
): StreamOptions {
  const asked = new URLSearchParams();
  const set: Record<string, boolean> = {};
  for (const [name, kubelets] of Object.entries(FLAGS)) {
    if (!booleanOf(query, name)) continue;
    set[name] = true;
    asked.set(kubelets, "1");
  }
  const command = kind === "PodExecOptions" ? query.getAll("command") : [];
  for (const word of command) asked.append("command", word);
  const container = textOf(query, "container");
  return {
    container,
    query: asked.toString(),
    object: {
      apiVersion: "v1",
      kind,
      ...set,
      ...(container !== "" && { container }),
      ...(command.length > 0 && { command }),
    } as StreamOptions["object"],
  };
}

/** Options of `pods/portforward`. @throws {StatusError} BadRequest @spec k8s@1.36 core/v1 PodPortForwardOptions */
export function parsePortForwardOptions(query: URLSearchParams): StreamOptions {
  const ports = query.getAll("ports").map((text) => {
    if (/^[+-]?\d{1,10}$/.test(text)) return Number(text);
    throw badRequest(`strconv.ParseInt: parsing ${quoteGo(text)}: invalid syntax`);
  });
  const asked = new URLSearchParams(ports.length > 0 ? { port: ports.join(",") } : {});
  const kind = "PodPortForwardOptions";
  const object = { apiVersion: "v1" as const, kind, ...(ports.length > 0 && { ports }) };
  return { container: "", query: asked.toString(), object };
}
