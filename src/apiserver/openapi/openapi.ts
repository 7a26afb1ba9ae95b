import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { Clock } from "../../base/clock.ts";
import { runInSlices } from "../../base/turns.ts";
import type { Document } from "../discovery/document.ts";
import { digestOf } from "../discovery/document.ts";
import type { EntryKind, ServedApi } from "../discovery/source.ts";
import { entriesOf, groupsOf } from "../discovery/source.ts";
import { API_MINOR } from "../discovery/version.ts";
import type { Definition, Definitions } from "./definitions.ts";
import { collectRefs } from "./definitions.ts";
import { DocumentWriter } from "./document-writer.ts";
import type { PathItem, TypeNames } from "./operations.ts";
import { pathsOf, typeNames } from "./operations.ts";
import { encodeDocument } from "./protobuf.ts";
import { namedSchema3, pathItem3 } from "./version3.ts";

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

/** Work that others may interrupt wherever it yields. */
type Steps<T> = Generator<void, T>;

const JSON_TYPE = "application/json";
/** Bytes of a document that are hashed in one step: half a millisecond. */
const STEP_BYTES = 256 * 1024;

const INFO = { title: "Kubernetes", version: `v1.${API_MINOR}.0` };
const PROTOBUF_2 = "application/com.github.proto-openapi.spec.v2";
const BEARER = { type: "apiKey", description: "Bearer token", name: "authorization", in: "header" };
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** Referred to by name in the documentation of watches, by no operation. */
const ALWAYS = [`${META}.WatchEvent`, `${META}.DeleteOptions`, `${META}.Status`];

/**
 * The OpenAPI documents of a served API, made in slices when they are first asked for.
 *
 * @bounds keeps each document that was asked for, some 0.1–1 MB per group and version and 3 MB for all of v2, for as long
 *   as its `DescribedApi` lives
 */
export class OpenApi {
  readonly #definitions: Definitions;
  readonly #builtIn: TypeNames;
  readonly #clock: Clock;
  readonly #kept = new WeakMap<DescribedApi, Map<string, Promise<Document | undefined>>>();

  constructor(definitions: Definitions, schemas: SchemaSet, clock: Clock) {
    this.#definitions = definitions;
    this.#builtIn = typeNames(schemas);
    this.#clock = clock;
  }

  /** The document at `/openapi/v2`, `/openapi/v3` or `/openapi/v3/…`; `undefined` when there is none. */
  document(api: DescribedApi, path: string, accept: string): Promise<Document | undefined> {
    const isProtobuf = accept.split(",").some((range) => range.trim().startsWith(PROTOBUF_2));
    const kept = this.#kept.get(api) ?? new Map<string, Promise<Document | undefined>>();
    this.#kept.set(api, kept);
    const key = path === "/openapi/v2" && isProtobuf ? `${path} protobuf` : path;
    const known = kept.get(key);
    if (known) return known;
    const made = runInSlices(this.#clock, this.#make(api, key));
    kept.set(key, made);
    const forget = (): boolean => kept.delete(key);
    made.then((document) => document ?? forget(), forget);
    return made;
  }

  *#make(api: DescribedApi, key: string): Steps<Document | undefined> {
    if (key === "/openapi/v2 protobuf") return yield* this.#protobuf2(api);
    if (key === "/openapi/v2") return yield* this.#json2(api);
    if (key === "/openapi/v3") return yield* this.#index(api);
    const match = /^\/openapi\/v3\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(key);
    return match ? yield* this.#json3(api, match[2] ?? "", match[1] ?? match[3]!) : undefined;
  }

  /** Everything in one OpenAPI 2 document. */
  *document2(api: DescribedApi): Steps<Document2> {
    const paths: Record<string, PathItem> = {};
    for (const { name, versions } of groupsOf(api))
      for (const version of versions) yield* this.#addPaths(paths, api, name, version);
    const definitions = yield* this.#needed(api, paths);
    return { swagger: "2.0", info: INFO, paths, definitions };
  }

  *#json2(api: DescribedApi): Steps<Document> {
    const { swagger, info, paths, definitions } = yield* this.document2(api);
    const writer = new DocumentWriter();
    writer.write(`{"swagger":"${swagger}","info":${JSON.stringify(info)},"paths":`);
    yield* writer.writeMembers(paths);
    writer.write(',"definitions":');
    yield* writer.writeMembers(definitions);
    writer.write("}");
    return writer.end(JSON_TYPE);
  }

  *#protobuf2(api: DescribedApi): Steps<Document> {
    const bytes = yield* encodeDocument(yield* this.document2(api));
    const writer = new DocumentWriter();
    for (let from = 0; from < bytes.length; from += STEP_BYTES) {
      writer.write(bytes.subarray(from, from + STEP_BYTES));
      yield;
    }
    return writer.end(`${PROTOBUF_2}.v1.0+protobuf`);
  }

  *#json3(api: DescribedApi, group: string, version: string): Steps<Document | undefined> {
    const paths: Record<string, PathItem> = {};
    yield* this.#addPaths(paths, api, group, version);
    if (Object.keys(paths).length === 0) return undefined;
    const schemas = yield* this.#needed(api, paths);
    const writer = new DocumentWriter();
    writer.write(`{"openapi":"3.0.0","info":${JSON.stringify(INFO)},"paths":`);
    yield* writer.writeMembers(paths, pathItem3);
    writer.write(',"components":{"schemas":');
    yield* writer.writeMembers(schemas, namedSchema3);
    writer.write(`,"securitySchemes":${JSON.stringify({ BearerToken: BEARER })}}}`);
    return writer.end(JSON_TYPE);
  }

  /** `/openapi/v3`: each document with a hash of what it is made from, so that clients may keep it. */
  *#index(api: DescribedApi): Steps<Document> {
    const urls: Record<string, object> = {};
    for (const { name, versions } of groupsOf(api))
      for (const version of versions) {
        const path = name === "" ? `api/${version}` : `apis/${name}/${version}`;
        const custom = (api.custom ?? []).filter(
          ({ kind }) => kind.group === name && kind.version === version,
        );
        const parts = [INFO, this.#definitions.digest, entriesOf(api, name, version), custom];
        const hash = digestOf(JSON.stringify(parts));
        urls[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
        yield;
      }
    const writer = new DocumentWriter();
    writer.write(JSON.stringify({ paths: urls }));
    return writer.end(JSON_TYPE);
  }

  /** The paths of one group and version. */
  *#addPaths(
    paths: Record<string, PathItem>,
    api: DescribedApi,
    group: string,
    version: string,
  ): Steps<void> {
    const types = this.#types(api);
    for (const entry of entriesOf(api, group, version)) {
      Object.assign(paths, pathsOf(entry, group, version, types));
      yield;
    }
  }

  *#needed(api: DescribedApi, paths: Document2["paths"]): Steps<Document2["definitions"]> {
    const custom = (api.custom ?? []).map(({ name, definition }) => [name, definition] as const);
    const names = [...ALWAYS];
    for (const item of Object.values(paths)) {
      collectRefs(item, names);
      yield;
    }
    return yield* this.#definitions.closure(names, new Map(custom));
  }

  #types(api: DescribedApi): TypeNames {
    const key = ({ group, version, kind }: EntryKind): string => `${group}/${version}/${kind}`;
    const custom = new Map((api.custom ?? []).map(({ kind, name }) => [key(kind), name]));
    return (kind) => custom.get(key(kind)) ?? this.#builtIn(kind);
  }
}
