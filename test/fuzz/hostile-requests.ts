import { VALUES_MAX } from "../../src/api/machinery/json-bounds.ts";
import { headOf } from "./kinds.ts";

/** A request that keeps every bound, made to cost as much as it can. */
export interface HostileRequest {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly contentType?: string;
  readonly body: () => Buffer;
}

/** Just below the limit of a body. */
const BYTES = 3 * 1024 * 1024 - 2048;

const DEFAULT = "/api/v1/namespaces/default";
const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
const APPLY = "application/apply-patch+yaml";

/** `piece` with its index, as often as fits into `bytes` and into the bound of values. */
function filled(piece: (index: number) => string, separator = ",", bytes = BYTES): string {
  const pieces: string[] = [];
  const countMax = Math.floor((VALUES_MAX - 40) / valuesIn(piece(0)));
  for (let length = 0, index = 0; index < countMax; index++) {
    const next = piece(index);
    length += next.length + separator.length;
    if (length > bytes) break;
    pieces.push(next);
  }
  return pieces.join(separator);
}

/** How many values a piece of JSON text holds; almost none where it is something else. */
function valuesIn(piece: string): number {
  for (const text of [`[${piece}]`, `{${piece}}`])
    try {
      return countOf(JSON.parse(text)) - 1;
    } catch {
      // The other form, or no JSON.
    }
  return 1 / 64;
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, item) => sum + countOf(item), 1);
}

const same = (text: string) => (): string => text;

/** A create whose object has `rest` besides its head; `rest` is JSON text, for an object would not fit such lengths. */
function create(
  name: string,
  key: string,
  path: string,
  rest: () => string,
  meta = "",
): HostileRequest {
  const { apiVersion, kind } = headOf(key);
  const body = (): Buffer =>
    Buffer.from(
      `{"apiVersion":"${apiVersion}","kind":"${kind}","metadata":{"name":"a"${meta}},${rest()}}`,
    );
  return { name, method: "POST", target: path, body };
}

/** Something of a Pod's spec, over and over. */
const podList = (name: string, field: string, item: (index: number) => string): HostileRequest =>
  create(name, "/v1/Pod", `${DEFAULT}/pods`, () => {
    const others = field === "containers" ? "" : `"containers":[{"name":"a","image":"a"}],`;
    return `"spec":{${others}"${field}":[${filled(item)}]}`;
  });

/** A Pod with one container that has `rest`. */
const container = (name: string, rest: () => string): HostileRequest =>
  create(
    name,
    "/v1/Pod",
    `${DEFAULT}/pods`,
    () => `"spec":{"containers":[{"name":"a","image":"a",${rest()}}]}`,
  );

/** Something of one container, over and over. */
const containerList = (name: string, field: string, item: (index: number) => string) =>
  container(name, () => `"${field}":[${filled(item)}]`);

/** Something of an object's metadata. */
const metadata = (name: string, rest: () => string): HostileRequest => ({
  name,
  method: "POST",
  target: `${DEFAULT}/configmaps`,
  body: () =>
    Buffer.from(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a",${rest()}}}`),
});

/** One manager that has all of these. */
const owned = (element: (index: number) => string): string =>
  '"managedFields":[{"manager":"a","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1",' +
  `"fieldsV1":{"f:data":{${filled(element)}}}}]`;

const TEMPLATE =
  '{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"a","image":"a"}]}}';

/** A key: with as many of them as there may be, a body is as long as it may be. */
const pad = (index: number): string => index.toString(36).padStart(40, "0");

const creates: readonly HostileRequest[] = [
  create(
    "one large value",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () => `"data":{"a":"${"x".repeat(BYTES)}"}`,
  ),
  create(
    "many values",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () => `"data":{${filled((at) => `"${pad(at)}":"x"`)}}`,
  ),
  create(
    "many wrong keys",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () => `"data":{${filled((at) => `"!${pad(at)}":"x"`)}}`,
  ),
  create(
    "escaped text",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () => `"data":{"a":"${filled(same('\\"'), "")}"}`,
  ),
  create(
    "bytes in base64",
    "/v1/Secret",
    `${DEFAULT}/secrets`,
    () => `"data":{"a":"${"QUJD".repeat(BYTES / 4 - 100)}"}`,
  ),
  create(
    "bytes in no base64",
    "/v1/Secret",
    `${DEFAULT}/secrets`,
    () => `"data":{"a":"${"QU\\n".repeat(BYTES / 4 - 100)}!"}`,
  ),
  create("unknown fields", "/v1/ConfigMap", `${DEFAULT}/configmaps`, () =>
    filled((at) => `"${pad(at)}":0`),
  ),
  create("repeated fields", "/v1/ConfigMap", `${DEFAULT}/configmaps`, () =>
    filled(same('"data":{}')),
  ),
  create(
    "many repeated fields",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () => `"data":{${filled((at) => `"${pad(at)}":"","${pad(at)}":""`)}}`,
  ),
  create(
    "repeated fields below a long one",
    "/v1/ConfigMap",
    `${DEFAULT}/configmaps`,
    () =>
      `"${"x".repeat(BYTES / 2)}":{${filled((at) => `"${pad(at)}":0,"${pad(at)}":0`, ",", BYTES / 2)}}`,
  ),
  create(
    "free JSON",
    "apps/v1/ControllerRevision",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    () => `"revision":1,"data":{"a":[${filled(same("{}"))}]}`,
  ),
  create(
    "free JSON of numbers",
    "apps/v1/ControllerRevision",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    () => `"revision":1,"data":{"a":[${filled(same("1"))}]}`,
  ),
  create(
    "long numbers",
    "apps/v1/ControllerRevision",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    () => `"revision":1,"data":{"a":[${filled(same("1234567890123456"))}]}`,
  ),
  podList("empty containers", "containers", same("{}")),
  podList("containers", "containers", (at) => `{"name":"a${pad(at)}","image":"a"}`),
  podList("empty volumes", "volumes", same("{}")),
  podList("volumes of one name", "volumes", same('{"name":"a"}')),
  podList("tolerations", "tolerations", same('{"operator":"Exists"}')),
  podList("empty tolerations", "tolerations", same("{}")),
  podList("host aliases", "hostAliases", same("{}")),
  podList("readiness gates", "readinessGates", same("{}")),
  podList("spread constraints", "topologySpreadConstraints", same("{}")),
  podList("scheduling gates", "schedulingGates", same("{}")),
  podList("image pull secrets", "imagePullSecrets", same("{}")),
  containerList("environment", "env", (at) => `{"name":"a${pad(at)}"}`),
  containerList("empty environment", "env", same("{}")),
  containerList("ports", "ports", (at) => `{"containerPort":${(at % 65000) + 1}}`),
  containerList("empty ports", "ports", same("{}")),
  containerList("mounts", "volumeMounts", same("{}")),
  containerList("arguments", "args", same('""')),
  create(
    "a long image",
    "/v1/Pod",
    `${DEFAULT}/pods`,
    () => `"spec":{"containers":[{"name":"a","image":"${"a/".repeat(BYTES / 2 - 200)}"}]}`,
  ),
  container(
    "a long quantity",
    () => `"resources":{"limits":{"cpu":"1${"0".repeat(BYTES - 500)}"}}`,
  ),
  container(
    "many limits",
    () => `"resources":{"limits":{${filled((at) => `"a.b/${pad(at)}":"1"`)}}}`,
  ),
  create(
    "node selector",
    "/v1/Pod",
    `${DEFAULT}/pods`,
    () =>
      `"spec":{"containers":[{"name":"a","image":"a"}],"nodeSelector":{${filled((at) => `"${pad(at)}":""`)}}}`,
  ),
  metadata("labels", () => `"labels":{${filled((at) => `"${pad(at)}":""`)}}`),
  metadata("wrong labels", () => `"labels":{${filled((at) => `"!${pad(at)}":"!"`)}}`),
  metadata("annotations", () => `"annotations":{${filled((at) => `"${pad(at)}":""`)}}`),
  metadata("wrong annotations", () => `"annotations":{${filled((at) => `"!${pad(at)}":""`)}}`),
  metadata("owners", () => `"ownerReferences":[${filled(same("{}"))}]`),
  metadata(
    "controlling owners",
    () => `"ownerReferences":[${filled(same('{"controller":true}'))}]`,
  ),
  metadata("finalizers", () => `"finalizers":[${filled(same('""'))}]`),
  metadata("a long label", () => `"labels":{"a":"${"a.".repeat(BYTES / 2 - 500)}!"}`),
  metadata("a long key", () => `"labels":{"${"a.".repeat(BYTES / 2 - 500)}/!":""}`),
  metadata("a long unprintable key", () => `"labels":{"${"\u2028".repeat(BYTES / 3 - 500)}":""}`),
  metadata(
    "managers",
    () =>
      `"managedFields":[${filled((at) => `{"manager":"${at}","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}`)}]`,
  ),
  metadata("empty managers", () => `"managedFields":[${filled(same("{}"))}]`),
  metadata("a manager of much", () => owned((at) => `"f:${pad(at)}":{}`)),
  metadata("a manager of values", () => owned((at) => `"v:[[${at}]]":{}`)),
  {
    ...metadata("a long name", () => ""),
    body: () => Buffer.from(`{"metadata":{"name":"${"a.".repeat(BYTES / 2 - 100)}"}}`),
  },
  create(
    "a selector of expressions",
    "apps/v1/Deployment",
    "/apis/apps/v1/namespaces/default/deployments",
    () => `"spec":{"selector":{"matchExpressions":[${filled(same("{}"))}]},"template":{}}`,
  ),
  create(
    "a selector of values",
    "apps/v1/Deployment",
    "/apis/apps/v1/namespaces/default/deployments",
    () =>
      `"spec":{"selector":{"matchExpressions":[{"key":"a","operator":"In","values":[${filled((at) => `"${pad(at)}"`)}]}]},"template":${TEMPLATE}}`,
  ),
  create(
    "service ports",
    "/v1/Service",
    `${DEFAULT}/services`,
    () => `"spec":{"ports":[${filled(same("{}"))}]}`,
  ),
  create(
    "named service ports",
    "/v1/Service",
    `${DEFAULT}/services`,
    () =>
      `"spec":{"ports":[${filled((at) => `{"name":"a${pad(at)}","port":${(at % 65000) + 1}}`)}]}`,
  ),
  create(
    "endpoints of a slice",
    "discovery.k8s.io/v1/EndpointSlice",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    () => `"addressType":"IPv4","endpoints":[${filled(same('{"addresses":["10.0.0.1"]}'))}]`,
  ),
  create(
    "addresses of endpoints",
    "/v1/Endpoints",
    `${DEFAULT}/endpoints`,
    () => `"subsets":[{"addresses":[${filled(same('{"ip":"10.0.0.1"}'))}],"ports":[{"port":80}]}]`,
  ),
  create(
    "subsets of endpoints",
    "/v1/Endpoints",
    `${DEFAULT}/endpoints`,
    () => `"subsets":[${filled(same("{}"))}]`,
  ),
  create(
    "rules",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    () => `"rules":[${filled(same("{}"))}]`,
  ),
  create(
    "verbs of a rule",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    () => `"rules":[{"apiGroups":[""],"resources":["a"],"verbs":[${filled(same('"a"'))}]}]`,
  ),
  create(
    "subjects",
    "rbac.authorization.k8s.io/v1/RoleBinding",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    () =>
      `"roleRef":{"kind":"ClusterRole","name":"view","apiGroup":"rbac.authorization.k8s.io"},"subjects":[${filled(same("{}"))}]`,
  ),
  create("taints", "/v1/Node", "/api/v1/nodes", () => `"spec":{"taints":[${filled(same("{}"))}]}`),
  create(
    "groups of a question",
    "authorization.k8s.io/v1/SubjectAccessReview",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    () =>
      `"spec":{"user":"a","groups":[${filled((at) => `"${pad(at)}"`)}],"resourceAttributes":{"verb":"get","resource":"pods"}}`,
  ),
  create(
    "a long token",
    "authentication.k8s.io/v1/TokenReview",
    "/apis/authentication.k8s.io/v1/tokenreviews",
    () => `"spec":{"token":"${"a.".repeat(BYTES / 2 - 200)}"}`,
  ),
  {
    name: "brackets",
    method: "POST",
    target: `${DEFAULT}/configmaps`,
    body: () => Buffer.from("[".repeat(BYTES)),
  },
  {
    name: "small lists",
    method: "POST",
    target: `${DEFAULT}/configmaps`,
    body: () => Buffer.from(`{"a":[${filled(same("[]"))}]}`),
  },
  {
    name: "no JSON at the end",
    method: "POST",
    target: `${DEFAULT}/configmaps`,
    body: () => Buffer.from(`{"a":"${"x".repeat(BYTES)}`),
  },
];

const yaml = (name: string, text: () => string, isApply = true): HostileRequest => ({
  name: `${isApply ? "applied" : "sent"} YAML: ${name}`,
  method: isApply ? "PATCH" : "POST",
  target: `${DEFAULT}/configmaps${isApply ? "/kept?fieldManager=a" : ""}`,
  contentType: isApply ? APPLY : "application/yaml",
  body: () => Buffer.from(text()),
});

const YAML_HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\n";

const yamls: readonly HostileRequest[] = [
  yaml("a map", () => `${YAML_HEAD}data:\n${filled((at) => `  a${pad(at)}: "1"`, "\n")}`),
  yaml("a map", () => `${YAML_HEAD}data:\n${filled((at) => `  a${pad(at)}: "1"`, "\n")}`, false),
  yaml("a flow list", () => `${YAML_HEAD}data: [${filled(same("[]"))}]`),
  yaml("blanks", () => `${YAML_HEAD}${" ".repeat(BYTES)}`),
  yaml("lines", () => `${YAML_HEAD}${"\n".repeat(BYTES)}`),
  yaml("comments", () => `${YAML_HEAD}${"#\n".repeat(BYTES / 2)}`),
  yaml("a long text", () => `${YAML_HEAD}data:\n  a: ${"x ".repeat(BYTES / 2 - 100)}`),
  yaml("a long quoted text", () => `${YAML_HEAD}data:\n  a: "${"\\n".repeat(BYTES / 2 - 100)}"`),
  yaml("a block text", () => `${YAML_HEAD}data:\n  a: |\n${"    x\n".repeat(BYTES / 6 - 100)}`),
  yaml("documents", () => filled(same("a: 1"), "\n---\n")),
  yaml("aliases", () => `${YAML_HEAD}data: {a: &a "x", ${filled((at) => `b${pad(at)}: *a`)}}`),
  yaml("anchors", () => `${YAML_HEAD}data: {${filled((at) => `b${pad(at)}: &a${pad(at)} x`)}}`),
  yaml("one key again and again", () => `${YAML_HEAD}data: {${filled(same("a: x"))}}`),
  yaml("question marks", () => filled(same("? "), "")),
  yaml("dashes", () => filled(same("- "), "")),
  yaml("tags", () => `${YAML_HEAD}data: [${filled(same("!!str x"))}]`),
  yaml(
    "JSON",
    () =>
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"},"data":{${filled((at) => `"${pad(at)}":"x"`)}}}`,
  ),
  yaml("JSON with a flaw at its end", () => `{"a":[${filled(same("1"))}],}x`),
  yaml(
    "wrong fields",
    () =>
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"},${filled((at) => `"${pad(at)}":"x"`)}}`,
  ),
];

const patch = (
  name: string,
  contentType: string,
  text: () => string,
  target = "configmaps/kept",
): HostileRequest => ({
  name,
  method: "PATCH",
  target: `${DEFAULT}/${target}`,
  contentType,
  body: () => Buffer.from(text()),
});

const operations = (first: string, other: (index: number) => string): string =>
  `[${first},${Array.from({ length: 9_990 }, (_, index) => other(index)).join()}]`;
const LONG_LIST = (): string => `{"op":"add","path":"/a","value":[${"0,".repeat(9_000)}0]}`;

const patches: readonly HostileRequest[] = [
  patch("JSON patch: in front of a long list", JSON_PATCH, () =>
    operations(LONG_LIST(), () => '{"op":"add","path":"/a/0","value":1}'),
  ),
  patch("JSON patch: out of the front of a long list", JSON_PATCH, () =>
    operations(LONG_LIST(), () => '{"op":"remove","path":"/a/0"}'),
  ),
  patch("JSON patch: from front to back", JSON_PATCH, () =>
    operations(LONG_LIST(), () => '{"op":"move","from":"/a/0","path":"/a/-"}'),
  ),
  patch("JSON patch: tests of all", JSON_PATCH, () =>
    operations(LONG_LIST(), () => '{"op":"test","path":"","value":{}}'),
  ),
  patch("JSON patch: copies of a part", JSON_PATCH, () =>
    operations(
      '{"op":"add","path":"/a","value":{}}',
      () => '{"op":"copy","from":"/metadata","path":"/a/b"}',
    ),
  ),
  patch("JSON patch: deeper and deeper", JSON_PATCH, () =>
    operations(
      '{"op":"add","path":"/a","value":{"b":{}}}',
      () => '{"op":"copy","from":"/a","path":"/a/b"}',
    ),
  ),
  patch("JSON patch: down into itself", JSON_PATCH, () =>
    operations(
      '{"op":"add","path":"/a","value":{}}',
      (at) => `{"op":"add","path":"/a${"/b".repeat(at % 120)}","value":{"b":{}}}`,
    ),
  ),
  patch(
    "JSON patch: move deeper",
    JSON_PATCH,
    () =>
      operations(
        '{"op":"add","path":"/a","value":0}',
        () =>
          '{"op":"add","path":"/b","value":{}},{"op":"move","from":"/a","path":"/b/a"},{"op":"move","from":"/b","path":"/a"}',
      )
        .slice(0, -1)
        .split("},")
        .slice(0, 9_990)
        .join("},") + "}]",
  ),
  patch("JSON patch: long paths", JSON_PATCH, () =>
    operations(
      '{"op":"add","path":"/a","value":{}}',
      () => `{"op":"test","path":"${"/a".repeat(130)}"}`,
    ),
  ),
  patch(
    "merge patch: many values",
    MERGE_PATCH,
    () => `{"data":{${filled((at) => `"${pad(at)}":"x"`)}}}`,
  ),
  patch(
    "merge patch: many nulls",
    MERGE_PATCH,
    () => `{"data":{${filled((at) => `"${pad(at)}":null`)}}}`,
  ),
  patch(
    "strategic patch: many values",
    STRATEGIC_PATCH,
    () => `{"data":{${filled((at) => `"${pad(at)}":"x"`)}}}`,
  ),
  patch(
    "strategic patch: containers",
    STRATEGIC_PATCH,
    () => `{"spec":{"containers":[${filled((at) => `{"name":"a${pad(at)}"}`)}]}}`,
    "pods/kept",
  ),
  patch(
    "strategic patch: an order",
    STRATEGIC_PATCH,
    () =>
      `{"spec":{"$setElementOrder/containers":[${filled((at) => `{"name":"a${pad(at)}"}`)}],"containers":[{"name":"zz","image":"a"}]}}`,
    "pods/kept",
  ),
  patch(
    "strategic patch: finalizers",
    STRATEGIC_PATCH,
    () => `{"metadata":{"finalizers":[${filled((at) => `"${pad(at)}"`)}]}}`,
  ),
  patch(
    "strategic patch: deleted values",
    STRATEGIC_PATCH,
    () =>
      `{"metadata":{"$deleteFromPrimitiveList/finalizers":[${filled((at) => `"${pad(at)}"`)}]}}`,
  ),
  patch(
    "strategic patch: deleted containers",
    STRATEGIC_PATCH,
    () => `{"spec":{"containers":[${filled((at) => `{"name":"a${pad(at)}","$patch":"delete"}`)}]}}`,
    "pods/kept",
  ),
  patch(
    "apply: containers",
    APPLY,
    () =>
      `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"kept"},"spec":{"containers":[${filled((at) => `{"name":"a${pad(at)}","image":"a"}`)}]}}`,
    "pods/kept?fieldManager=a",
  ),
  patch(
    "apply: equal containers",
    APPLY,
    () =>
      `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"kept"},"spec":{"containers":[${filled(same('{"name":"a"}'))}]}}`,
    "pods/kept?fieldManager=a",
  ),
];

/** Bytes of a query: what the headers of a request may have. */
const QUERY_BYTES = 60_000;

const read = (name: string, query: () => string): HostileRequest => ({
  name,
  method: "GET",
  target: `${DEFAULT}/configmaps?${query()}`,
  body: () => Buffer.alloc(0),
});

const reads: readonly HostileRequest[] = [
  read(
    "label selector: many keys",
    () => `labelSelector=${filled((at) => `!${pad(at)}`, ",", QUERY_BYTES)}`,
  ),
  read(
    "label selector: many values",
    () => `labelSelector=a in (${filled((at) => pad(at), ",", QUERY_BYTES)})`,
  ),
  read("label selector: blanks", () => `labelSelector=${"+".repeat(QUERY_BYTES)}!`),
  read("label selector: a long key", () => `labelSelector=${"a.".repeat(QUERY_BYTES / 2)}!`),
  read(
    "field selector: many terms",
    () => `fieldSelector=${filled((at) => `metadata.name!=${pad(at)}`, ",", QUERY_BYTES)}`,
  ),
  read(
    "field selector: backslashes",
    () => `fieldSelector=metadata.name=${"\\\\".repeat(QUERY_BYTES / 2)}`,
  ),
  read(
    "continue token",
    () =>
      `continue=${Buffer.from(`{"v":"meta.k8s.io/v1","rv":1,"start":"${"a/".repeat(QUERY_BYTES / 3)}"}`).toString("base64url")}`,
  ),
  read("parameters", () => filled((at) => `${pad(at)}=1`, "&", QUERY_BYTES)),
];

export const HOSTILE_REQUESTS: readonly HostileRequest[] = [
  ...creates,
  ...yamls,
  ...patches,
  ...reads,
];
