/** Headers of one message as Node takes them. */
export type HeaderMap = Readonly<Record<string, string | string[]>>;

/** About one connection, not about the message. @spec RFC 9110 section 7.6.1; net/http/httputil hopHeaders */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/**
 * The headers of a message that the next hop may see: without those about this connection, those that its `Connection`
 * names, and the pseudo-headers of HTTP/2.
 */
export function endToEnd(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const named = new Set(
    String(headers["connection"] ?? "")
      .split(",")
      .map((name) => name.trim().toLowerCase()),
  );
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const isDropped = HOP_BY_HOP.has(name) || named.has(name) || name.startsWith(":");
    if (value !== undefined && !isDropped) kept[name] = value;
  }
  return kept;
}
