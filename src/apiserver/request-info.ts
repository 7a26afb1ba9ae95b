import { parseFieldSelector } from "../api/machinery/field-selector.ts";
import type { RequestInfo } from "./request.ts";

/** Path words that stand before the resource and act as the verb. @spec requestinfo.go specialVerbs */
const isSpecialVerb = (word: string): boolean => word === "watch" || word === "proxy";
/** @spec requestinfo.go namespaceSubresources */
const isNamespaceSubresource = (word: string): boolean => word === "status" || word === "finalize";

/**
 * What a request asks for. Anything below `/api/VERSION/` and `/apis/GROUP/VERSION/` is a resource request, known or not.
 *
 * By hand and without regular expressions: this runs for every request.
 * @param path decoded; see {@link decodePath}.
 * @spec k8s@1.36 apiserver pkg/endpoints/request/requestinfo.go NewRequestInfo
 */
export function parseRequestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
): RequestInfo {
  const parts = split(path);
  const isGroupless = parts[0] === "api";
  const needed = isGroupless ? 3 : 4;
  if ((!isGroupless && parts[0] !== "apis") || parts.length < needed)
    return otherPath(method, path);
  const group = isGroupless ? "" : parts[1]!;
  const version = parts[needed - 2]!;
  let at = needed - 1;
  let verb = verbOf(method);
  if (isGroupless && parts[at] === "proxy") return oldProxyInfo(method, path, parts);
  if (isSpecialVerb(parts[at]!)) {
    if (parts.length < at + 2) return otherPath(method, path);
    verb = parts[at++]!;
  }
  let namespace = "";
  if (parts[at] === "namespaces" && parts.length > at + 1) {
    namespace = parts[at + 1]!;
    if (parts.length > at + 2 && !isNamespaceSubresource(parts[at + 2]!)) at += 2;
  }
  const plural = parts[at]!;
  let name = parts[at + 1] ?? "";
  const hasSubresource = verb !== "proxy" && parts.length > at + 2;
  const tailAt = hasSubresource ? at + 3 : at + 2;
  if (name === "" && (verb === "get" || verb === "watch")) {
    const isWatch = verb === "watch" || isTrue(query.get("watch"));
    verb = isWatch ? "watch" : "list";
    name = nameFromSelector(query);
  } else if (name === "" && verb === "delete") verb = "deletecollection";
  return {
    isResource: true,
    verb,
    path,
    group,
    version,
    plural,
    subresource: hasSubresource ? parts[at + 2]! : "",
    namespace,
    name,
    tail: parts.length > tailAt ? `/${parts.slice(tailAt).join("/")}` : "",
  };
}

/** What the proxies of upstream's first releases could reach. */
const isProxied = (plural: string): boolean =>
  plural === "pods" || plural === "services" || plural === "nodes";

/**
 * `/api/v1/proxy/[namespaces/NS/]PLURAL/NAME/…`, the proxy path of before 1.10, is `…/PLURAL/NAME/proxy/…`: authorized and served as that.
 *
 * @spec k8s@1.9 apiserver pkg/endpoints/installer.go (proxy)
 */
function oldProxyInfo(method: string, path: string, parts: readonly string[]): RequestInfo {
  const isNamespaced = parts[3] === "namespaces" && parts.length > 5;
  const at = isNamespaced ? 5 : 3;
  const [plural = "", name = "", ...tail] = parts.slice(at);
  if (name === "" || !isProxied(plural)) return otherPath(method, path);
  return {
    isResource: true,
    verb: verbOf(method),
    path,
    group: "",
    version: parts[1]!,
    plural,
    subresource: "proxy",
    namespace: isNamespaced ? parts[4]! : "",
    name,
    tail: tail.length > 0 ? `/${tail.join("/")}` : "",
  };
}

/** The path as upstream sees it: unescaped before it is split. `undefined`: malformed. */
export function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A boolean parameter: present and neither `false` nor `0`. @spec apimachinery runtime Convert_Slice_string_To_bool */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

function otherPath(method: string, path: string): RequestInfo {
  return {
    isResource: false,
    verb: method.toLowerCase(),
    path,
    group: "",
    version: "",
    plural: "",
    subresource: "",
    namespace: "",
    name: "",
    tail: "",
  };
}

function verbOf(method: string): string {
  switch (method) {
    case "GET":
    case "HEAD":
      return "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return "delete";
    default:
      return "";
  }
}

/**
 * `fieldSelector=metadata.name=x` makes a list or watch a request for one name, so that RBAC's resourceNames hold.
 *
 * Read by the parser that selects: what is permitted and what is answered must be the same name.
 */
function nameFromSelector(query: URLSearchParams): string {
  const selector = query.get("fieldSelector");
  if (!selector?.includes("metadata.name")) return "";
  try {
    return parseFieldSelector(selector).exactValue("metadata.name") ?? "";
  } catch {
    // Refused by the verb, in the words for it.
    return "";
  }
}

function split(path: string): string[] {
  let from = 0;
  let to = path.length;
  while (from < to && path.charCodeAt(from) === 0x2f) from++;
  while (to > from && path.charCodeAt(to - 1) === 0x2f) to--;
  return path.slice(from, to).split("/");
}
