import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { Entry, EntryKind, EntrySubresource } from "../discovery/source.ts";
import type { Definition } from "./definitions.ts";
import { refTo } from "./definitions.ts";
import type { Parameter } from "./parameters.ts";
import { BODY_PATCH, bodyOf, PARAMETERS, pathParameter } from "./parameters.ts";

/** An operation in the form of OpenAPI 2. */
export interface Operation {
  readonly description: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { description: string; schema?: Definition }>>;
  readonly "x-kubernetes-action": string;
  readonly "x-kubernetes-group-version-kind": EntryKind;
}

export type Method = "get" | "put" | "post" | "delete" | "patch";

export type PathItem = Readonly<Partial<Record<Method, Operation>>> & {
  readonly parameters: readonly Parameter[];
};

/** The name of a kind's type, or undefined when it has none (options of `exec`, plain text). */
export type TypeNames = (kind: EntryKind) => string | undefined;

/** Type names out of the generated schemas. */
export function typeNames(schemas: SchemaSet): TypeNames {
  return ({ group, version, kind }) => schemas.root(group, version, kind)?.name;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const JSON_TYPES = ["application/json", "application/yaml"];
const LIST_TYPES = [...JSON_TYPES, "application/json;stream=watch"];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

/** All paths of one resource. */
export function pathsOf(
  entry: Entry,
  group: string,
  version: string,
  types: TypeNames,
): Readonly<Record<string, PathItem>> {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const writer = new Writer(entry, group, version, types);
  const collection = `${root}/${entry.isNamespaced ? "namespaces/{namespace}/" : ""}${entry.plural}`;
  const paths: [string, PathItem][] = [
    [collection, writer.collection()],
    [`${collection}/{name}`, writer.item()],
    ...entry.subresources.map((part): [string, PathItem] => [
      `${collection}/{name}/${part.name}`,
      writer.part(part),
    ]),
  ];
  if (entry.isNamespaced && entry.verbs.includes("list"))
    paths.push([`${root}/${entry.plural}`, writer.allNamespaces()]);
  return Object.fromEntries(paths.filter(([, item]) => Object.keys(item).length > 1));
}

/** What an operation is besides its resource. */
interface Draft {
  readonly verb: string;
  readonly action: string;
  readonly kind: EntryKind;
  /** `NamespacedPodStatus`: the end of the operation's id. */
  readonly object: string;
  readonly parameters: readonly Parameter[];
  readonly answer: Definition;
  readonly codes: readonly string[];
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
}

const CODES: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

/** Writes the operations of one resource. */
class Writer {
  readonly #entry: Entry;
  readonly #types: TypeNames;
  /** `AppsV1` */
  readonly #id: string;
  readonly #tag: string;

  constructor(entry: Entry, group: string, version: string, types: TypeNames) {
    this.#entry = entry;
    this.#types = types;
    const words = (group === "" ? "core" : group.replace(/\.k8s\.io$/, "")).split(/[.-]/);
    const name = words.map(capital).join("");
    this.#id = `${name}${capital(version)}`;
    this.#tag = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}_${version}`;
  }

  collection(): PathItem {
    const { kind, verbs } = this.#entry;
    const list = this.#answer({ ...kind, kind: `${kind.kind}List` });
    const object = this.#object(kind.kind);
    const get = {
      verb: "list",
      action: "list",
      answer: list,
      codes: ["200"],
      produces: LIST_TYPES,
    };
    return {
      ...(verbs.includes("list") && {
        get: this.#operation({ ...get, kind, object, parameters: PARAMETERS.list }),
      }),
      ...(verbs.includes("create") && { post: this.#create(kind, object) }),
      ...(verbs.includes("deletecollection") && {
        delete: this.#operation({
          verb: "deleteCollection",
          action: "deletecollection",
          kind,
          object,
          parameters: [...PARAMETERS.delete, ...PARAMETERS.list],
          answer: refTo(`${META}.Status`),
          codes: ["200"],
        }),
      }),
      parameters: this.#pathParameters(false),
    };
  }

  allNamespaces(): PathItem {
    const { kind } = this.#entry;
    const get = this.#operation({
      verb: "list",
      action: "list",
      kind,
      object: `${kind.kind}ForAllNamespaces`,
      parameters: PARAMETERS.list,
      answer: this.#answer({ ...kind, kind: `${kind.kind}List` }),
      codes: ["200"],
      produces: LIST_TYPES,
    });
    return { get, parameters: [PARAMETERS.pretty] };
  }

  item(): PathItem {
    const { kind, verbs } = this.#entry;
    const object = this.#object(kind.kind);
    return {
      ...this.#readAndWrite(kind, verbs, object),
      ...(verbs.includes("delete") && {
        delete: this.#operation({
          verb: "delete",
          action: "delete",
          kind,
          object,
          parameters: [...PARAMETERS.delete, bodyOf(refTo(`${META}.DeleteOptions`), false)],
          answer: refTo(`${META}.Status`),
          codes: ["200", "202"],
        }),
      }),
      parameters: this.#pathParameters(true),
    };
  }

  part({ name, kind, verbs }: EntrySubresource): PathItem {
    const object = `${this.#object(this.#entry.kind.kind)}${capital(name)}`;
    const hasType = this.#types(kind) !== undefined && name !== "log";
    const shown = hasType ? kind : this.#entry.kind;
    return {
      ...this.#readAndWrite(shown, verbs, object, hasType),
      ...(verbs.includes("create") && { post: this.#create(kind, object) }),
      parameters: this.#pathParameters(true),
    };
  }

  #readAndWrite(kind: EntryKind, verbs: readonly string[], object: string, hasType = true) {
    const answer = hasType ? this.#answer(kind) : { type: "string" };
    const draft = { kind, object, answer };
    const body = bodyOf(answer, true);
    const [put, patch] = [PARAMETERS.write, PARAMETERS.patch];
    return {
      ...(verbs.includes("get") && {
        get: this.#operation({
          ...draft,
          verb: "read",
          action: "get",
          parameters: [],
          codes: ["200"],
        }),
      }),
      ...(verbs.includes("update") && {
        put: this.#operation({
          ...draft,
          verb: "replace",
          action: "put",
          parameters: [...put, body],
          codes: ["200", "201"],
        }),
      }),
      ...(verbs.includes("patch") && {
        patch: this.#operation({
          ...draft,
          verb: "patch",
          action: "patch",
          parameters: [...patch, BODY_PATCH],
          codes: ["200", "201"],
          consumes: PATCH_TYPES,
        }),
      }),
    };
  }

  #create(kind: EntryKind, object: string): Operation {
    const answer = this.#answer(kind);
    return this.#operation({
      verb: "create",
      action: "post",
      kind,
      object,
      parameters: [...PARAMETERS.write, bodyOf(answer, true)],
      answer,
      codes: ["200", "201", "202"],
    });
  }

  #operation(draft: Draft): Operation {
    const verb = draft.verb === "deleteCollection" ? "delete" : draft.verb;
    const object = draft.verb === "deleteCollection" ? `Collection${draft.object}` : draft.object;
    const answers = draft.codes.map(
      (code): [string, { description: string; schema?: Definition }] => [
        code,
        { description: CODES[code]!, schema: draft.answer },
      ],
    );
    return {
      description: `${draft.verb} ${draft.kind.kind}`,
      operationId: `${verb}${this.#id}${object}`,
      tags: [this.#tag],
      consumes: draft.consumes ?? ["*/*"],
      produces: draft.produces ?? JSON_TYPES,
      parameters: draft.parameters,
      responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
      "x-kubernetes-action": draft.action,
      "x-kubernetes-group-version-kind": draft.kind,
    };
  }

  #answer(kind: EntryKind): Definition {
    const name = this.#types(kind);
    return name === undefined ? { type: "object" } : refTo(name);
  }

  #object(kind: string): string {
    return `${this.#entry.isNamespaced ? "Namespaced" : ""}${kind}`;
  }

  #pathParameters(hasName: boolean): Parameter[] {
    const { kind, isNamespaced } = this.#entry;
    return [
      ...(hasName ? [pathParameter("name", `name of the ${kind.kind}`)] : []),
      ...(isNamespaced ? [pathParameter("namespace", "object name and auth scope")] : []),
      PARAMETERS.pretty,
    ];
  }
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
