import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "./model.ts";

/** Where a model stands upstream. */
export interface TypeName {
  /** `io.k8s.api.core.v1.Pod` */
  readonly openapi: string;
  /** Upstream's Go package of the group: `core`, `rbac`, `meta`. */
  readonly folder: string;
  readonly version: string;
  /** `Pod` */
  readonly kind: string;
  /** The API group: "" for core, `rbac.authorization.k8s.io`. */
  readonly group: string;
}

const APIS = "node_modules/@kubernetes/client-node/dist/gen/apis";

/** Groups whose API group is not the folder's name. */
const GROUPS: Readonly<Record<string, string>> = {
  core: "",
  meta: "",
  version: "",
  admissionregistration: "admissionregistration.k8s.io",
  apiextensions: "apiextensions.k8s.io",
  apiregistration: "apiregistration.k8s.io",
  apiserverinternal: "internal.apiserver.k8s.io",
  authentication: "authentication.k8s.io",
  authorization: "authorization.k8s.io",
  certificates: "certificates.k8s.io",
  compose: "compose.docker.com",
  coordination: "coordination.k8s.io",
  discovery: "discovery.k8s.io",
  events: "events.k8s.io",
  flowcontrol: "flowcontrol.apiserver.k8s.io",
  networking: "networking.k8s.io",
  node: "node.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  resource: "resource.k8s.io",
  scheduling: "scheduling.k8s.io",
  storage: "storage.k8s.io",
  storagemigration: "storagemigration.k8s.io",
};

/** The API group of upstream's Go package: `rbac` → `rbac.authorization.k8s.io`. */
export function groupNamed(folder: string): string {
  return GROUPS[folder] ?? folder;
}

/** Types of the machinery, and types that one group's API returns or refers to but another group owns. */
const OWNED: Readonly<Record<string, string>> = {
  meta: `V1GroupResource V1APIGroup V1APIGroupList V1APIResource V1APIResourceList V1APIVersions V1Condition V1DeleteOptions
    V1FieldSelectorRequirement V1GroupVersionForDiscovery V1LabelSelector V1LabelSelectorRequirement V1ListMeta V1ManagedFieldsEntry
    V1ObjectMeta V1OwnerReference V1Preconditions V1ServerAddressByClientCIDR V1ShardInfo V1Status V1StatusCause V1StatusDetails
    V1WatchEvent`,
  version: "VersionInfo",
  policy: "V1Eviction",
  autoscaling: "V1Scale V1ScaleSpec V1ScaleStatus V1CrossVersionObjectReference",
  authentication: "V1BoundObjectReference V1TokenRequestSpec V1TokenRequestStatus",
  core: "V1TopologySelectorTerm V1TopologySelectorLabelRequirement V1Taint V1Toleration",
};

const PREFIXES: Readonly<Record<string, string>> = {
  io: "io.k8s.api",
  meta: "io.k8s.apimachinery.pkg.apis.meta",
  apiextensions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  apiregistration: "io.k8s.kube-aggregator.pkg.apis.apiregistration",
};

/**
 * The upstream name of every model.
 *
 * The model package names types by version alone (`V1Pod`). The group is the one whose API hands the type out, core first: what core
 * uses is core's own.
 */
export function nameModels(root: string, models: readonly Model[]): ReadonlyMap<string, TypeName> {
  const byName = new Map(models.map((model) => [model.name, model]));
  const folders = new Map<string, string>();
  for (const [folder, names] of Object.entries(OWNED))
    for (const name of names.split(/\s+/)) folders.set(name, folder);
  for (const { name } of models) {
    const prefix = /^([A-Z][a-z]+)V\d/.exec(name)?.[1];
    if (prefix) folders.set(name, prefix.toLowerCase());
  }
  const apis = readApis(root).sort((a, b) => rank(a.folder) - rank(b.folder));
  for (const { folder, seeds } of apis) claim(byName, folders, folder, seeds);
  const homeless = models.filter(({ name }) => !folders.has(name)).map(({ name }) => name);
  if (homeless.length > 0) throw new Error(`no API hands out ${homeless.join(", ")}`);
  return new Map(models.map(({ name }) => [name, typeName(name, folders.get(name)!)]));
}

const rank = (folder: string): number => (folder === "core" ? 0 : 1);

function claim(
  models: ReadonlyMap<string, Model>,
  folders: Map<string, string>,
  folder: string,
  seeds: readonly string[],
): void {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const model = models.get(name);
    if (!model || seen.has(name)) return;
    seen.add(name);
    const owner = folders.get(name);
    if (owner === undefined) folders.set(name, folder);
    else if (owner !== folder) {
      if (owner in SHARED) return;
      throw new Error(`${name} is handed out by ${owner} and by ${folder}`);
    }
    for (const { type } of model.fields) for (const part of type.match(/\w+/g) ?? []) visit(part);
  };
  seeds.forEach(visit);
}

/** Owners whose types other groups may use. */
const SHARED: Readonly<Record<string, true>> = {
  core: true,
  meta: true,
  policy: true,
  autoscaling: true,
  authentication: true,
};

/** Each API class with its folder and the models in its requests and responses. */
function readApis(root: string): { folder: string; seeds: readonly string[] }[] {
  const folder = join(root, APIS);
  return readdirSync(folder)
    .filter((file) => /V\d\w*Api\.js$/.test(file))
    .map((file) => {
      const code = readFileSync(join(folder, file), "utf8");
      const group = /localVarPath = '\/apis\/([^/']+)/.exec(code)?.[1] ?? "";
      const seeds = [...code.matchAll(/ObjectSerializer\.\w*serialize\(.*, "(\w+)", ""\)/g)];
      return {
        folder: folderOf(group),
        seeds: [...new Set(seeds.map((match) => match[1]!))],
      };
    });
}

function folderOf(group: string): string {
  const known = Object.entries(GROUPS).find(
    ([folder, name]) => name === group && folder !== "meta",
  );
  return known ? known[0] : group;
}

function typeName(name: string, folder: string): TypeName {
  if (folder === "version")
    return {
      openapi: "io.k8s.apimachinery.pkg.version.Info",
      folder,
      version: "",
      kind: "Info",
      group: "",
    };
  const match = /V(\d(?:(?:alpha|beta)\d)?)(\w+)$/.exec(name);
  if (!match) throw new Error(`${name} carries no version`);
  const [version, kind] = [`v${match[1]!}`, match[2]!];
  const prefix = PREFIXES[folder] ?? `${PREFIXES["io"]}.${folder}`;
  return {
    openapi: `${prefix}.${version}.${kind}`,
    folder,
    version,
    kind,
    group: groupNamed(folder),
  };
}
