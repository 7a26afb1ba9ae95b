import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import protobuf from "protobufjs";
import { countTurns } from "../../../test/support/count-turns.ts";
import { ImpatientClock } from "../../../test/support/impatient-clock.ts";
import { loadSchemas } from "../../api/machinery/schema-set.ts";
import { runInSlices } from "../../base/turns.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { exampleApi } from "../discovery/example-api.test.ts";
import { documentOf } from "../discovery/document.ts";
import type { Definition } from "./definitions.ts";
import { collectRefs, Definitions } from "./definitions.ts";
import type { DescribedApi, Document2 } from "./openapi.ts";
import { OpenApi } from "./openapi.ts";

const read = () => readFileSync("dist/openapi/definitions.tsv", "utf8");
const clock = new VirtualClock();
const openapi = new OpenApi(new Definitions(read), loadSchemas(), clock);
const document2 = await runInSlices(clock, openapi.document2(exampleApi));

interface Schema3 {
  readonly description: string;
  readonly properties: Readonly<Record<string, object>>;
}
interface Document3 {
  readonly paths: Record<string, Record<string, { parameters: { name: string }[] }>>;
  readonly components: { readonly schemas: Record<string, Schema3> };
}

async function version3(path: string, api: DescribedApi = exampleApi): Promise<Document3> {
  const found = await openapi.document(api, `/openapi/v3/${path}`, "application/json");
  assert.ok(found, path);
  return JSON.parse(found.body.toString()) as Document3;
}

describe("OpenAPI v2", () => {
  it("defines all that it refers to, and nothing that nobody needs", () => {
    const names: string[] = [];
    collectRefs(document2, names);
    const missing = names.filter((name) => !(name in document2.definitions));
    assert.deepEqual(missing, []);
    assert.ok("io.k8s.api.core.v1.PodSpec" in document2.definitions);
    assert.ok(!("io.k8s.api.batch.v1.Job" in document2.definitions));
  });

  it("every type of the model package is complete in itself", () => {
    const known = new Set(
      read()
        .split("\n")
        .map((line) => line.split("\t")[0]),
    );
    const names: string[] = [];
    for (const line of read().split("\n").filter(Boolean))
      collectRefs(JSON.parse(line.slice(line.indexOf("\t") + 1)), names);
    assert.deepEqual(
      [...new Set(names)].filter((name) => !known.has(name)),
      [],
    );
  });

  it("fields carry description, type and how they merge", () => {
    const { properties } = document2.definitions["io.k8s.api.core.v1.PodSpec"]!;
    const { description, ...containers } = properties!["containers"]!;
    assert.ok(description!.length > 20);
    assert.deepEqual(containers, {
      type: "array",
      items: { $ref: "#/definitions/io.k8s.api.core.v1.Container" },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
    });
    const pod = document2.definitions["io.k8s.api.core.v1.Pod"]!;
    assert.deepEqual(pod["x-kubernetes-group-version-kind"], [
      { group: "", version: "v1", kind: "Pod" },
    ]);
  });

  it("paths say which verbs a resource has", () => {
    const actions = Object.entries(document2.paths).map(([path, { parameters, ...methods }]) => {
      assert.ok(parameters.some((parameter) => parameter.name === "pretty"));
      const verbs = Object.entries(methods).map(([method, one]) =>
        method === one["x-kubernetes-action"] ? method : `${method}=${one["x-kubernetes-action"]}`,
      );
      return `${path} ${verbs.join(" ")}`;
    });
    const pods = "/api/v1/namespaces/{namespace}/pods";
    const deployments = "/apis/apps/v1/namespaces/{namespace}/deployments";
    assert.deepEqual(actions, [
      `${pods} get=list post delete=deletecollection`,
      `${pods}/{name} get put patch delete`,
      `${pods}/{name}/eviction post`,
      `${pods}/{name}/log get`,
      `${pods}/{name}/status get put patch`,
      "/api/v1/pods get=list",
      `${deployments} get=list post delete=deletecollection`,
      `${deployments}/{name} get put patch delete`,
      `${deployments}/{name}/scale get put patch`,
      "/apis/apps/v1/deployments get=list",
      "/apis/authentication.k8s.io/v1/tokenreviews post",
    ]);
  });

  it("operations have upstream's ids, which generated clients make method names of", () => {
    const ids = Object.values(document2.paths).flatMap(({ get, post, put, delete: remove }) =>
      [get, post, put, remove].flatMap((one) => (one ? [one.operationId] : [])),
    );
    for (const id of [
      "listCoreV1NamespacedPod",
      "deleteCoreV1CollectionNamespacedPod",
      "listCoreV1PodForAllNamespaces",
      "replaceCoreV1NamespacedPodStatus",
      "readAppsV1NamespacedDeploymentScale",
      "createAuthenticationV1TokenReview",
    ])
      assert.ok(ids.includes(id), id);
  });

  it("kubectl reads in a patch whether a dry run and field validation are possible", () => {
    const patch = document2.paths["/api/v1/namespaces/{namespace}/pods/{name}"]!.patch!;
    assert.deepEqual(
      patch.parameters.map((parameter) => parameter.name),
      ["dryRun", "fieldManager", "fieldValidation", "force", "body"],
    );
    assert.equal(patch["x-kubernetes-action"], "patch");
    assert.deepEqual(patch["x-kubernetes-group-version-kind"], {
      group: "",
      version: "v1",
      kind: "Pod",
    });
  });

  it("the protobuf form holds the same document", async () => {
    const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const found = (await openapi.document(exampleApi, "/openapi/v2", accept))!;
    assert.equal(found.contentType, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    assert.deepEqual(decode(found.body), comparable(document2));
  });

  it("the JSON form, too", async () => {
    const found = (await openapi.document(exampleApi, "/openapi/v2", "*/*"))!;
    assert.equal(found.contentType, "application/json");
    assert.deepEqual(JSON.parse(found.body.toString()), comparable(document2));
    assert.equal(found.etag, documentOf("", found.body).etag);
  });

  it("every document is made in slices, once for all who ask meanwhile", async () => {
    for (const path of ["/openapi/v2", "/openapi/v2 protobuf", "/openapi/v3/api/v1"]) {
      const busy = new OpenApi(new Definitions(read), loadSchemas(), new ImpatientClock(clock));
      const [target, accept] = path.endsWith("protobuf")
        ? ["/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"]
        : [path, "*/*"];
      const ask = () => busy.document(exampleApi, target!, accept!);
      const { result, turns } = await countTurns(() => Promise.all([ask(), ask()]));
      assert.equal(result[0], result[1]);
      // A look at the clock takes a millisecond, and there is one for each path and for each definition.
      assert.ok(turns > 20, `${path}: ${turns} turns`);
    }
  });
});

describe("OpenAPI v3", () => {
  it("the index names one document per group and version, with a hash", async () => {
    const found = (await openapi.document(exampleApi, "/openapi/v3", "application/json"))!;
    const { paths } = JSON.parse(found.body.toString()) as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    assert.deepEqual(Object.keys(paths), [
      "api/v1",
      "apis/apps/v1",
      "apis/authentication.k8s.io/v1",
    ]);
    assert.match(
      paths["apis/apps/v1"]!.serverRelativeURL,
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/,
    );
  });

  it("a document has the kinds of its group with everything below them", async () => {
    const { components, paths } = await version3("apis/apps/v1");
    assert.ok(components.schemas["io.k8s.api.core.v1.Container"]!.properties["image"]);
    const { description, ...strategy } = components.schemas["io.k8s.api.apps.v1.DeploymentSpec"]!
      .properties["strategy"] as { description: string };
    assert.ok(description);
    assert.deepEqual(strategy, {
      allOf: [{ $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy" }],
      "x-kubernetes-patch-strategy": "retainKeys",
    });
    const { description: _, ...quantity } =
      components.schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]!;
    assert.deepEqual(quantity, { oneOf: [{ type: "string" }, { type: "number" }] });
    assert.ok(!JSON.stringify(components).includes("#/definitions/"));
    const { patch } = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!;
    assert.ok(patch!.parameters.some((parameter) => parameter.name === "fieldValidation"));
  });

  it("nothing for what is not served", async () => {
    for (const path of ["apis/batch/v1", "apis/apps", "api/v2", "constructor"])
      assert.equal(
        await openapi.document(exampleApi, `/openapi/v3/${path}`, "*/*"),
        undefined,
        path,
      );
  });

  it("custom resources bring their own definition and change the hash", async () => {
    const kind = { group: "example.com", version: "v1", kind: "Widget" };
    const definition: Definition = {
      type: "object",
      properties: { spec: { type: "object" } },
      "x-kubernetes-group-version-kind": [kind],
    };
    const [pods] = exampleApi.resources;
    const widget = {
      ...pods!,
      singular: "widget",
      kind: { ...kind, plural: "widgets", isNamespaced: true },
    };
    const api: DescribedApi = {
      ...exampleApi,
      resources: [...exampleApi.resources, widget],
      custom: [{ kind, name: "com.example.v1.Widget", definition }],
    };
    const changed: DescribedApi = { ...api, custom: [{ ...api.custom![0]!, definition: {} }] };
    const index = async (of: DescribedApi): Promise<string> =>
      (await openapi.document(of, "/openapi/v3", "*/*"))!.body.toString();
    const { components } = await version3("apis/example.com/v1", api);
    assert.ok(components.schemas["com.example.v1.Widget"]);
    assert.notEqual(await index(api), await index(changed));
  });
});

/** The parts of gnostic's description that the document uses, written down a second time for the test. */
const PROTO = `syntax = "proto3";
message Document { string swagger = 1; Info info = 2; Paths paths = 8; Definitions definitions = 9; }
message Info { string title = 1; string version = 2; }
message Paths { repeated NamedPathItem path = 2; }
message NamedPathItem { string name = 1; PathItem value = 2; }
message PathItem { Operation get = 2; Operation put = 3; Operation post = 4; Operation delete = 5; Operation patch = 8;
  repeated ParametersItem parameters = 9; }
message Operation { repeated string tags = 1; string summary = 2; string description = 3; string operation_id = 5;
  repeated string produces = 6; repeated string consumes = 7; repeated ParametersItem parameters = 8; Responses responses = 9;
  repeated NamedAny vendor_extension = 13; }
message ParametersItem { Parameter parameter = 1; }
message Parameter { BodyParameter body_parameter = 1; NonBodyParameter non_body_parameter = 2; }
message BodyParameter { string description = 1; string name = 2; string in = 3; bool required = 4; Schema schema = 5; }
message NonBodyParameter { Query query_parameter_sub_schema = 3; Path path_parameter_sub_schema = 4; }
message Query { bool required = 1; string in = 2; string description = 3; string name = 4; string type = 6; bool unique_items = 19; }
message Path { bool required = 1; string in = 2; string description = 3; string name = 4; string type = 5; bool unique_items = 18; }
message Responses { repeated NamedResponseValue response_code = 1; }
message NamedResponseValue { string name = 1; ResponseValue value = 2; }
message ResponseValue { Response response = 1; }
message Response { string description = 1; SchemaItem schema = 2; }
message SchemaItem { Schema schema = 1; }
message Definitions { repeated NamedSchema additional_properties = 1; }
message Properties { repeated NamedSchema additional_properties = 1; }
message NamedSchema { string name = 1; Schema value = 2; }
message NamedAny { string name = 1; Any value = 2; }
message Any { string yaml = 2; }
message TypeItem { repeated string value = 1; }
message ItemsItem { repeated Schema schema = 1; }
message Additional { Schema schema = 1; bool boolean = 2; }
message Schema { string ref = 1; string format = 2; string description = 4; repeated string required = 19;
  Additional additional_properties = 21; TypeItem type = 22; ItemsItem items = 23; Properties properties = 25;
  repeated NamedAny vendor_extension = 31; }`;

type Loose = any;
const byName = (list: Loose[] = [], of: (value: Loose) => unknown) =>
  Object.fromEntries(list.map(({ name, value }) => [name, of(value)]));
const extensions = (list: Loose[]) => byName(list, (value) => JSON.parse(value.yaml));
const schemaOf = (from: Loose): Loose => ({
  ...(from.ref && { $ref: from.ref }),
  ...(from.format && { format: from.format }),
  ...(from.description && { description: from.description }),
  ...(from.required?.length && { required: from.required }),
  ...(from.additionalProperties && {
    additionalProperties: schemaOf(from.additionalProperties.schema),
  }),
  ...(from.type && { type: from.type.value[0] }),
  ...(from.items && { items: schemaOf(from.items.schema[0]) }),
  ...(from.properties && { properties: byName(from.properties.additionalProperties, schemaOf) }),
  ...extensions(from.vendorExtension),
});
const parameterOf = ({ parameter }: Loose) => {
  const { bodyParameter: body, nonBodyParameter: other } = parameter;
  if (body) return { ...body, schema: schemaOf(body.schema) };
  return { ...(other.queryParameterSubSchema ?? other.pathParameterSubSchema) };
};
const operationOf = ({ vendorExtension, responses, parameters = [], ...rest }: Loose) => ({
  ...rest,
  parameters: parameters.map(parameterOf),
  responses: byName(responses.responseCode, ({ response }) => ({
    ...response,
    ...(response.schema && { schema: schemaOf(response.schema.schema) }),
  })),
  ...extensions(vendorExtension),
});

function decode(body: Buffer): unknown {
  const type = protobuf.parse(PROTO).root.lookupType("Document");
  const { paths, definitions, ...rest } = type.toObject(type.decode(body)) as Loose;
  return comparable({
    ...rest,
    paths: byName(paths.path, ({ parameters, ...methods }) => ({
      ...Object.fromEntries(
        Object.entries(methods).map(([name, value]) => [name, operationOf(value)]),
      ),
      parameters: parameters.map(parameterOf),
    })),
    definitions: byName(definitions.additionalProperties, schemaOf),
  });
}

const comparable = (value: unknown): Document2 => JSON.parse(JSON.stringify(value)) as Document2;
