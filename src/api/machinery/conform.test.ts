import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conform } from "./conform.ts";
import { DEPTH_MAX } from "./json-bounds.ts";
import { loadSchemas } from "./schema-set.ts";

const schemas = loadSchemas();
const fit = (group: string, version: string, kind: string, value: unknown) =>
  conform(schemas, schemas.root(group, version, kind)!, value);
const pod = (value: unknown) => fit("", "v1", "Pod", value);

/** The text of the value: order counts. */
function text(result: ReturnType<typeof conform>): string {
  assert.ok(result.isOk, result.isOk ? "" : result.message);
  return JSON.stringify(result.value);
}
function message(result: ReturnType<typeof conform>): string {
  assert.ok(!result.isOk);
  return result.message;
}

describe("conform", () => {
  it("puts fields in schema order, sorts map keys, drops nulls and what is empty", () => {
    const value = {
      status: {},
      spec: { nodeName: null, containers: [], volumes: [], nodeSelector: {}, affinity: {} },
      metadata: { labels: { b: "2", a: "1" }, name: "x", creationTimestamp: null },
      apiVersion: "v1",
      kind: "Pod",
    };
    assert.equal(
      text(pod(value)),
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","labels":{"a":"1","b":"2"}},' +
        '"spec":{"containers":[],"affinity":{}},"status":{}}',
    );
  });

  it("drops unknown fields and reports each with its path", () => {
    const result = pod({
      spec: { foo: 1, containers: [{ name: "a" }, { Image: "x", ports: [{ bar: 1 }] }] },
      ["__proto__x"]: 1,
    });
    assert.ok(result.isOk);
    assert.deepEqual(result.strictErrors, [
      'unknown field "__proto__x"',
      'unknown field "spec.foo"',
      'unknown field "spec.containers[1].Image"',
      'unknown field "spec.containers[1].ports[0].bar"',
    ]);
    assert.equal(
      JSON.stringify(result.value),
      '{"spec":{"containers":[{"name":"a"},{"ports":[{}]}]}}',
    );
  });

  it("names the field and the type when a value is of the wrong type", () => {
    const table: [unknown, string][] = [
      [
        { spec: { containers: [{ command: "sh" }] } },
        "string into Go struct field Container.spec.containers.command of type []string",
      ],
      [
        { spec: { containers: {} } },
        "object into Go struct field PodSpec.spec.containers of type []v1.Container",
      ],
      [{ spec: [] }, "array into Go struct field Pod.spec of type v1.PodSpec"],
      [
        { metadata: { labels: { a: 1 } } },
        "number into Go struct field ObjectMeta.metadata.labels of type string",
      ],
      [
        { metadata: { labels: "a" } },
        "string into Go struct field ObjectMeta.metadata.labels of type map[string]string",
      ],
      [
        { spec: { hostNetwork: "yes" } },
        "string into Go struct field PodSpec.spec.hostNetwork of type bool",
      ],
      [
        { spec: { priority: 2 ** 31 } },
        "number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
      ],
      [
        { spec: { activeDeadlineSeconds: 1.5 } },
        "number 1.5 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
      ],
      [
        { spec: { activeDeadlineSeconds: 2 ** 53 } },
        "number 9007199254740992 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
      ],
      [
        { spec: { containers: [{ livenessProbe: { httpGet: { port: true } } }] } },
        "bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
      ],
      ["x", "string into Go value of type v1.Pod"],
    ];
    for (const [value, expected] of table)
      assert.equal(
        message(pod(value)),
        `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${expected}`,
      );
  });

  it("says which kind the document claimed to be", () => {
    const type = schemas.root("apps", "v1", "Deployment")!;
    const claimed = { kind: "Pod", version: "v1" };
    assert.match(
      message(conform(schemas, type, [], { claimed })),
      /^Pod in version "v1" cannot be handled as a Deployment: json: /,
    );
  });

  it("brings quantities to their canonical form", () => {
    const table: [unknown, string][] = [
      ["1024Mi", "1Gi"],
      ["1000m", "1"],
      ["0.5", "500m"],
      [0.5, "500m"],
      [2, "2"],
      ["1500Mi", "1500Mi"],
      ["1000Ki", "1000Ki"],
      ["512", "512"],
      ["0.5Gi", "512Mi"],
      ["0.1Ki", "102400m"],
      ["1e3", "1e3"],
      ["12E2", "1200"],
      ["1000k", "1M"],
      ["-5", "-5"],
      ["+5", "5"],
      ["-0", "0"],
      ["0.0000000001", "1n"],
      ["100000000000000000000Ki", "9223372036854775807"],
    ];
    for (const [value, expected] of table) {
      const limits = { limits: { memory: value } };
      const result = pod({ spec: { containers: [{ resources: limits }] } });
      const shown = `{"spec":{"containers":[{"resources":{"limits":{"memory":"${expected}"}}}]}}`;
      assert.equal(text(result), shown, `${String(value)}`);
    }
  });

  it("refuses text that is no quantity, time or base64 in upstream's words", () => {
    const volume = (sizeLimit: unknown) => ({ spec: { volumes: [{ emptyDir: { sizeLimit } }] } });
    const start = (startTime: unknown) => ({ status: { startTime } });
    const format =
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    const layout = '"2006-01-02T15:04:05Z07:00"';
    const table: [unknown, string][] = [
      [volume("1 Gi"), format],
      [volume(""), format],
      [volume(true), format],
      [volume("1Kb"), format],
      [volume("1GiM"), "unable to parse quantity's suffix"],
      [
        start("yesterday"),
        `parsing time "yesterday" as ${layout}: cannot parse "yesterday" as "2006"`,
      ],
      [start("2020-01-01"), `parsing time "2020-01-01" as ${layout}: cannot parse "" as "T"`],
      [start("2020-02-30T00:00:00Z"), 'parsing time "2020-02-30T00:00:00Z": day out of range'],
      [start("2020-13-01T00:00:00Z"), 'parsing time "2020-13-01T00:00:00Z": month out of range'],
    ];
    for (const [value, expected] of table)
      assert.equal(
        message(pod(value)),
        `Pod in version "v1" cannot be handled as a Pod: ${expected}`,
      );
    assert.match(
      message(fit("", "v1", "Secret", { data: { a: "!" } })),
      /illegal base64 data at input byte 0$/,
    );
  });

  it("brings times to UTC at the precision of their kind", () => {
    const table: [string, string][] = [
      ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"],
      ["2020-01-01T02:00:00+02:00", "2020-01-01T00:00:00Z"],
      ["2020-01-01T00:00:00.987Z", "2020-01-01T00:00:00Z"],
    ];
    for (const [startTime, expected] of table)
      assert.equal(text(pod({ status: { startTime } })), `{"status":{"startTime":"${expected}"}}`);
    const lease = (renewTime: string) =>
      fit("coordination.k8s.io", "v1", "Lease", { spec: { renewTime } });
    assert.equal(
      text(lease("2020-01-01T02:00:00.123456+02:00")),
      '{"spec":{"renewTime":"2020-01-01T00:00:00.123456Z"}}',
    );
    assert.match(message(lease("2020-01-01T00:00:00Z")), /cannot parse "Z" as ".000000"$/);
  });

  it("changes nothing the second time", () => {
    const once = pod({
      metadata: { creationTimestamp: "2020-01-01T02:00:00+02:00" },
      spec: { overhead: { cpu: "0.25", memory: "2048Ki" }, containers: [null, { name: "a" }] },
    });
    assert.ok(once.isOk);
    assert.equal(text(pod(once.value)), text(once));
  });

  it("keeps integers and text apart where both may stand", () => {
    const service = (targetPort: unknown) =>
      fit("", "v1", "Service", { spec: { ports: [{ targetPort }] } });
    assert.equal(text(service("http")), '{"spec":{"ports":[{"targetPort":"http"}]}}');
    assert.equal(text(service(80)), '{"spec":{"ports":[{"targetPort":80}]}}');
  });

  it("refuses what a patch or protobuf made too large", () => {
    const data = Object.fromEntries(Array.from({ length: 50_001 }, (_, at) => [`k${at}`, ""]));
    for (const [group, kind, value] of [
      ["", "ConfigMap", { data }],
      ["apps", "ControllerRevision", { data }],
    ] as const) {
      const result = fit(group, "v1", kind, value);
      assert.ok(!result.isOk && result.isTooLarge, kind);
    }
  });

  it("takes a quantity of any length for what it is", () => {
    const volume = (sizeLimit: string) =>
      fit("", "v1", "Pod", {
        spec: { containers: [], volumes: [{ name: "a", emptyDir: { sizeLimit } }] },
      });
    assert.match(message(volume(`1${"0".repeat(1_000_000)}`)), /numeric part of quantity$/);
    assert.equal(text(volume("740601004e59")).includes('"74060100400e57"'), true);
  });

  it("a hostile document changes no prototype and goes no deeper than the limit", () => {
    const hostile = JSON.parse('{"__proto__":{"x":1},"data":{"__proto__":"y"}}') as unknown;
    const result = fit("", "v1", "ConfigMap", hostile);
    assert.equal(text(result), '{"data":{"__proto__":"y"}}');
    assert.ok(result.isOk);
    assert.deepEqual(result.strictErrors, ['unknown field "__proto__"']);
    let deep: unknown = 1;
    for (let level = 0; level < DEPTH_MAX + 1; level++) deep = [deep];
    assert.match(
      message(fit("apps", "v1", "ControllerRevision", { data: deep })),
      /exceeded max depth$/,
    );
  });
});
