/**
 * Paths of proxied requests, and the links of their answers.
 *
 * @spec k8s@1.36 apiserver endpoints/handlers/rest.go getRequestOptions; apimachinery util/proxy transport.go rewriteURL
 */

/** What a link is rewritten by. */
export interface LinkContext {
  /** The path of the proxy itself: `/api/v1/namespaces/a/services/b/proxy`. */
  readonly prefix: string;
  /** The backend's own host and port. */
  readonly backend: string;
  /** The host that the client asked for. */
  readonly requested: string;
}

/** The path on the other side: cleaned as Go cleans it; "" when there is none. `path`: the request's, decoded. */
export function backendPath(tail: string, path: string): string {
  const asked = path.endsWith("/") && !tail.endsWith("/") ? `${tail}/` : tail;
  return asked === "" ? "" : cleanPath(asked);
}

/** The path of the proxy itself. */
export function proxyPrefix(path: string, tail: string): string {
  const bare = path.endsWith("/") && !tail.endsWith("/") ? path.slice(0, -1) : path;
  return bare.endsWith(tail) ? bare.slice(0, bare.length - tail.length) : bare;
}

/** A decoded path as it goes over the wire. @spec net/url EscapedPath */
export function encodePath(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
}

const LINK = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/** A link of an answer as the client must follow it: paths of the backend go through the proxy, others stay. */
export function rewriteLink(link: string, { prefix, backend, requested }: LinkContext): string {
  const [, host = "", path = "", rest = ""] = LINK.exec(link) ?? [];
  const isElsewhere = host !== "" && host !== backend && host !== requested;
  if (isElsewhere || !path.startsWith("/")) return link;
  const isPrefixed = path === prefix || path.startsWith(`${prefix}/`);
  const through = isPrefixed ? path : prefix + cleanPath(path);
  const keepsHost = host !== "" && host === requested;
  const start = keepsHost ? link.slice(0, link.indexOf("//") + 2 + host.length) : "";
  return start + through + rest;
}

/** Without empty, `.` and `..` segments; never above the root; a slash at the end stays. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const clean = `/${kept.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}
