/** What a resolv.conf says. */
export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
  /** An older way to write a search list of one name; the kubelet does not heed it. */
  readonly domain?: string;
}

/**
 * Reads a resolv.conf. Of several search lists the last counts; options add up.
 *
 * @spec resolv.conf(5); k8s@1.36 pkg/kubelet/network/dns/dns.go parseResolvConf
 */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  const options: string[] = [];
  let domain: string | undefined;
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && words[0]) servers.push(words[0]);
    else if (keyword === "search") searches = words.map(withoutDot).filter(Boolean);
    else if (keyword === "domain") domain = words[0];
    else if (keyword === "options") options.push(...words);
  }
  return { servers, searches, options, ...(domain === undefined ? {} : { domain }) };
}

/** The text of a resolv.conf. */
export function resolvConfText({ servers, searches, options }: ResolvConf): string {
  return [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

/** `a.` and `a` are one name. */
function withoutDot(name: string): string {
  return name.replace(/\.$/, "");
}
