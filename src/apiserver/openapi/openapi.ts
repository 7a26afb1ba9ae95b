import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { Document } from "../discovery/document.ts";
import { digestOf, documentOf } from "../discovery/document.ts";
import type { EntryKind, ServedApi } from "../discovery/source.ts";
import { entriesOf, groupsOf } from "../discovery/source.ts";
import { API_MINOR } from "../discovery/version.ts";
import type { Definition, Definitions } from "./definitions.ts";
import { collectRefs } from "./definitions.ts";
import type { PathItem, TypeNames } from "./operations.ts";
import { pathsOf, typeNames } from "./operations.ts";
import { encodeDocument } from "./protobuf.ts";
import { pathItem3, schemas3 } from "./version3.ts";

/** What OpenAPI shows: the served API, and the types that are not built in. */
export interface DescribedApi extends ServedApi {
  readonly custom?: readonly CustomDefinition[];
}

/** The type of a custom resource. */
export interface CustomDefinition {
  readonly kind: EntryKind;
  /** `com.example.v1.Widget` */
  readonly name: string;
  /** With `x-kubernetes-group-version-kind`, by which clients find it. */
  readonly definition: Definition;
}

/** An OpenAPI 2 document. */
export interface Document2 {
  readonly swagger: "2.0";
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly definitions: Readonly<Record<string, Definition>>;
}

const INFO = { title: "Kubernetes", version: `v1.${API_MINOR}.0` };
const PROTOBUF_2 = "application/com.github.proto-openapi.spec.v2";
const BEARER = { type: "apiKey", description: "Bearer token", name: "authorization", in: "header" };
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** Referred to by name in the documentation of watches, by no operation. */
const ALWAYS = [`${META}.WatchEvent`, `${META}.DeleteOptions`, `${META}.Status`];

/**
 * The OpenAPI documents of a served API.
 *
 * @bounds keeps each document that was asked for, some 0.1–1 MB per group and version and 3 MB for all of v2, for as long
 *   as its `DescribedApi` lives
 */
export class OpenApi {
  readonly #definitions: Definitions;
  readonly #builtIn: TypeNames;
  readonly #kept = new WeakMap<DescribedApi, Map<string, Document>>();

  constructor(definitions: Definitions, schemas: SchemaSet) {
    this.#definitions = definitions;
    this.#builtIn = typeNames(schemas);
  }

  /** The document at `/openapi/v2`, `/openapi/v3` or `/openapi/v3/…`; `undefined` when there is none. */
  document(api: DescribedApi, path: string, accept: string): Document | undefined {
    const isProtobuf = accept.split(",").some((range) => range.trim().startsWith(PROTOBUF_2));
    const kept = this.#kept.get(api) ?? new Map<string, Document>();
    this.#kept.set(api, kept);
    const key = path === "/openapi/v2" && isProtobuf ? `${path} protobuf` : path;
    const known = kept.get(key);
    if (known) return known;
    const made = this.#make(api, key);
    if (made) kept.set(key, made);
    return made;
  }

  #make(api: DescribedApi, key: string): Document | undefined {
    if (key === "/openapi/v2 protobuf")
      return documentOf(`${PROTOBUF_2}.v1.0+protobuf`, encodeDocument(this.document2(api)));
    if (key === "/openapi/v2")
      return documentOf("application/json", JSON.stringify(this.document2(api)));
    if (key === "/openapi/v3")
      return documentOf("application/json", JSON.stringify(this.#index(api)));
    const match = /^\/openapi\/v3\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(key);
    if (!match) return undefined;
    const made = this.#document3(api, match[2] ?? "", match[1] ?? match[3]!);
    return made && documentOf("application/json", JSON.stringify(made));
  }

  /** Everything in one OpenAPI 2 document. */
  document2(api: DescribedApi): Document2 {
    const types = this.#types(api);
    const paths = groupsOf(api).flatMap(({ name, versions }) =>
      versions.map((version) => allPaths(api, name, version, types)),
    );
    const merged = Object.assign({}, ...paths) as Document2["paths"];
    return { swagger: "2.0", info: INFO, paths: merged, definitions: this.#needed(api, merged) };
  }

  #document3(api: DescribedApi, group: string, version: string): object | undefined {
    const paths = allPaths(api, group, version, this.#types(api));
    if (Object.keys(paths).length === 0) return undefined;
    return {
      openapi: "3.0.0",
      info: INFO,
      paths: Object.fromEntries(
        Object.entries(paths).map(([path, item]) => [path, pathItem3(item)]),
      ),
      components: {
        schemas: schemas3(this.#needed(api, paths)),
        securitySchemes: { BearerToken: BEARER },
      },
    };
  }

  /** `/openapi/v3`: each document with a hash of what it is made from, so that clients may keep it. */
  #index(api: DescribedApi): object {
    const entries = groupsOf(api).flatMap(({ name, versions }) =>
      versions.map((version) => {
        const path = name === "" ? `api/${version}` : `apis/${name}/${version}`;
        const custom = (api.custom ?? []).filter(
          ({ kind }) => kind.group === name && kind.version === version,
        );
        const parts = [INFO, this.#definitions.digest, entriesOf(api, name, version), custom];
        const hash = digestOf(JSON.stringify(parts));
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      }),
    );
    return { paths: Object.fromEntries(entries) as Record<string, object> };
  }

  #needed(api: DescribedApi, paths: Document2["paths"]): Document2["definitions"] {
    const custom = (api.custom ?? []).map(({ name, definition }) => [name, definition] as const);
    const names = [...ALWAYS];
    collectRefs(paths, names);
    return this.#definitions.closure(names, new Map(custom));
  }

  #types(api: DescribedApi): TypeNames {
    const key = ({ group, version, kind }: EntryKind): string => `${group}/${version}/${kind}`;
    const custom = new Map((api.custom ?? []).map(({ kind, name }) => [key(kind), name]));
    return (kind) => custom.get(key(kind)) ?? this.#builtIn(kind);
  }
}

function allPaths(
  api: DescribedApi,
  group: string,
  version: string,
  types: TypeNames,
): Document2["paths"] {
  const paths = entriesOf(api, group, version).map((entry) =>
    pathsOf(entry, group, version, types),
  );
  return Object.assign({}, ...paths) as Document2["paths"];
}
