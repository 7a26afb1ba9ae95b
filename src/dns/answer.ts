import type { Answer, DnsRecord, Question, SrvData } from "./record.ts";
import type { HostEntry, ServiceEntry, ZoneIndex } from "./zone-index.ts";

/** How long resolvers may keep an answer, in seconds. Short, because clients follow rollouts by it. @spec CoreDNS kubernetes ttl */
const TTL = 5;
/** The version of the specification that `dns-version` names. @spec kubernetes/dns specification 2.2 */
const SPECIFICATION = "1.1.0";

const NODATA: Answer = { code: "NOERROR", answers: [], authorities: [], additionals: [] };

/** Answers one question about the cluster zone or its reverse; `undefined`: the name is somebody else's. */
export function answer(zone: ZoneIndex, domain: string, question: Question): Answer | undefined {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  const type = question.type.toUpperCase();
  const reverse = reverseAddress(name);
  if (reverse !== undefined) return reverseAnswer(zone, domain, name, type, reverse);
  if (name !== domain && !name.endsWith(`.${domain}`)) return undefined;
  const labels = name === domain ? [] : name.slice(0, -(domain.length + 1)).split(".");
  const found = lookUp(zone, domain, name, labels);
  if (found === undefined) return { ...NODATA, code: "NXDOMAIN", authorities: [soa(domain)] };
  const answers = found.records.filter((record) => matches(record, type));
  if (answers.length === 0) return { ...NODATA, authorities: [soa(domain)] };
  const additionals = type === "SRV" ? found.targets : [];
  return { ...NODATA, answers, additionals };
}

/** A name that exists, with all its records; `targets`: the addresses of its SRV targets. */
interface Found {
  readonly records: readonly DnsRecord[];
  readonly targets: readonly DnsRecord[];
}

const EXISTS: Found = { records: [], targets: [] };

function matches(record: DnsRecord, type: string): boolean {
  return type === "ANY" || record.type === type || record.type === "CNAME";
}

/** `labels`: what stands before the domain, first label first. */
function lookUp(
  zone: ZoneIndex,
  domain: string,
  name: string,
  labels: readonly string[],
): Found | undefined {
  const kind = labels.at(-1);
  if (kind === undefined) return { records: [soa(domain), nameServer(domain)], targets: [] };
  if (labels.length === 1 && kind === "dns-version")
    return { records: [{ type: "TXT", name, ttl: TTL, data: SPECIFICATION }], targets: [] };
  if (kind === "pod") return podName(name, labels.slice(0, -1));
  if (kind !== "svc") return undefined;
  const [namespace, serviceName, ...before] = labels.slice(0, -1).reverse();
  if (namespace === undefined) return EXISTS;
  if (serviceName === undefined) return zone.hasNamespace(namespace) ? EXISTS : undefined;
  const service = zone.service(namespace, serviceName);
  if (!service) return undefined;
  const context = { service, domain, name };
  if (before.length === 0) return serviceRecords(context);
  if (before.length === 1) return hostRecords(context, before[0]!);
  const [protocol, port] = before;
  return before.length === 2 && protocol!.startsWith("_") && port!.startsWith("_")
    ? portRecords(context, port!.slice(1), protocol!.slice(1))
    : undefined;
}

interface Context {
  readonly service: ServiceEntry;
  readonly domain: string;
  readonly name: string;
}

function serviceRecords(context: Context): Found | undefined {
  const { service, domain, name } = context;
  if (service.externalName)
    return {
      records: [{ type: "CNAME", name, ttl: TTL, data: service.externalName }],
      targets: [],
    };
  if (!service.clusterIp && service.hosts.length === 0) return undefined;
  const base = baseName(service, domain);
  if (service.clusterIp)
    return {
      records: [
        address(name, service.clusterIp),
        ...service.ports.map(({ port }) => srv(name, port, base, service.ports.length)),
      ],
      targets: [address(base, service.clusterIp)],
    };
  const hosts = unique(service.hosts);
  return {
    records: [
      ...hosts.map((host) => address(name, host.address)),
      ...hosts.flatMap((host) =>
        host.ports.map(({ port }) => srv(name, port, `${host.label}.${base}`, hosts.length)),
      ),
    ],
    targets: hosts.map((host) => address(`${host.label}.${base}`, host.address)),
  };
}

/** `web-0.nginx.default.svc`: one endpoint of a headless Service. */
function hostRecords({ service, name }: Context, label: string): Found | undefined {
  const hosts = unique(service.hosts).filter((host) => host.label === label);
  if (hosts.length > 0)
    return { records: hosts.map((host) => address(name, host.address)), targets: [] };
  // `_tcp.web.default.svc` exists as the parent of its ports.
  const isProtocol = service.ports.some(({ protocol }) => label === `_${protocol}`);
  return isProtocol ? EXISTS : undefined;
}

/** `_http._tcp.web.default.svc` */
function portRecords(context: Context, portName: string, protocol: string): Found | undefined {
  const { service, domain, name } = context;
  const base = baseName(service, domain);
  const wanted = (port: { readonly name: string; readonly protocol: string }): boolean =>
    port.name === portName && port.protocol === protocol;
  if (service.clusterIp) {
    const ports = service.ports.filter(wanted);
    if (ports.length === 0) return undefined;
    return {
      records: ports.map(({ port }) => srv(name, port, base, 1)),
      targets: [address(base, service.clusterIp)],
    };
  }
  const hosts = unique(service.hosts).filter((host) => host.ports.some(wanted));
  if (hosts.length === 0) return undefined;
  return {
    records: hosts.flatMap((host) =>
      host.ports
        .filter(wanted)
        .map(({ port }) => srv(name, port, `${host.label}.${base}`, hosts.length)),
    ),
    targets: hosts.map((host) => address(`${host.label}.${base}`, host.address)),
  };
}

/** `10-244-0-5.default.pod`: the address is in the name. @spec CoreDNS kubernetes `pods insecure` */
function podName(name: string, labels: readonly string[]): Found | undefined {
  const [dashed, , ...more] = labels;
  if (dashed === undefined || labels.length < 2) return EXISTS;
  const ip = dashed.replaceAll("-", ".");
  if (more.length > 0 || !isIpv4(ip)) return undefined;
  return { records: [address(name, ip)], targets: [] };
}

function reverseAnswer(
  zone: ZoneIndex,
  domain: string,
  name: string,
  type: string,
  ip: string,
): Answer | undefined {
  const owners = zone.byAddress(ip);
  if (owners.length === 0) return undefined;
  if (type !== "PTR" && type !== "ANY") return NODATA;
  const answers = owners.map(({ service, host }): DnsRecord => {
    const base = baseName(service, domain);
    return { type: "PTR", name, ttl: TTL, data: host ? `${host.label}.${base}` : base };
  });
  return { ...NODATA, answers };
}

/** `4.3.2.1.in-addr.arpa` → `1.2.3.4` */
function reverseAddress(name: string): string | undefined {
  const suffix = ".in-addr.arpa";
  if (!name.endsWith(suffix)) return undefined;
  const ip = name.slice(0, -suffix.length).split(".").reverse().join(".");
  return isIpv4(ip) ? ip : undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function baseName({ name, namespace }: ServiceEntry, domain: string): string {
  return `${name}.${namespace}.svc.${domain}`;
}

function address(name: string, ip: string): DnsRecord {
  return { type: "A", name, ttl: TTL, data: ip };
}

function srv(name: string, port: number, target: string, count: number): DnsRecord {
  const data: SrvData = { priority: 0, weight: Math.max(1, Math.floor(100 / count)), port, target };
  return { type: "SRV", name, ttl: TTL, data };
}

function nameServer(domain: string): DnsRecord {
  return { type: "NS", name: domain, ttl: TTL, data: `ns.dns.${domain}` };
}

/** Negative answers may be kept for as long as positive ones. @spec RFC 2308 */
function soa(domain: string): DnsRecord {
  return {
    type: "SOA",
    name: domain,
    ttl: TTL,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL,
    },
  };
}

/** One address may stand in several slices while Pods move between them. */
function unique(hosts: readonly HostEntry[]): readonly HostEntry[] {
  return [...new Map(hosts.map((host) => [`${host.label} ${host.address}`, host])).values()];
}
