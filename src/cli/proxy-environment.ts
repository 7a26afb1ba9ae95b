/** What a cluster's start says about the proxies of its environment, and what its processes do not get of it. */
export interface ProxyAdvice {
  /** Variables that the cluster's processes must not inherit. */
  readonly withheld: readonly string[];
  /** Variables that they use: `HTTP_PROXY=http://proxy.example:3128`. */
  readonly options: readonly string[];
  readonly warnings: readonly string[];
}

const PROXY = ["HTTP_PROXY", "HTTPS_PROXY"] as const;

/**
 * How the proxies of the environment fit a cluster whose nodes are hosts of their own.
 *
 * A proxy on 127.0.0.1 is out of their reach: on a node that is the node itself. One elsewhere is used to pull images, and then
 * the nodes' own range should go around it.
 * @shape `nodeCidr`: range of the nodes' addresses; NO_PROXY may have it, a larger one as written, or `*`.
 */
export function proxyAdvice(
  environment: Readonly<Record<string, string | undefined>>,
  nodeCidr: string,
): ProxyAdvice {
  const set = PROXY.flatMap((name) => [name, name.toLowerCase()])
    .map((name) => ({ name, value: environment[name] ?? "" }))
    .filter(({ value }) => value !== "");
  const local = set.filter(({ value }) => isLoopback(value));
  const options = set.filter(({ value }) => !isLoopback(value));
  const exceptions = environment["NO_PROXY"] ?? environment["no_proxy"] ?? "";
  const isExcepted = exceptions.split(",").some((part) => ["*", nodeCidr].includes(part.trim()));
  return {
    withheld: local.map(({ name }) => name),
    options: options.map(({ name, value }) => `${name}=${withoutPassword(value)}`),
    warnings: [
      ...local.map(
        ({ name, value }) =>
          `${name}=${withoutPassword(value)} is not handed to the nodes: there, it would be the node itself`,
      ),
      ...(set.length > 0 && !isExcepted
        ? [`NO_PROXY lacks the nodes' range: add ${nodeCidr}, so that node ports are reached`]
        : []),
    ],
  };
}

/** A value without a scheme is one too: `127.0.0.1:3128`. */
function urlOf(value: string): URL | undefined {
  const text = value.includes("://") ? value : `http://${value}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isLoopback(value: string): boolean {
  const host = urlOf(value)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

function withoutPassword(value: string): string {
  const url = urlOf(value);
  if (!url?.password) return value;
  url.password = "***";
  return url.href;
}
