import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1Pod, V1PodSpec } from "../../gen/types.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { ephemeralContainerRules, resizeRules } from "./pod-subresources.ts";

const complete = (spec: Partial<V1PodSpec>): V1Pod =>
  withPodDefaults(pod("p", { spec, metadata: { generation: 1 } }));
const debug = (image: string) => ({ ephemeralContainers: [{ name: "debug", image }] });
const sized = (cpu: string) => ({
  containers: [{ name: "app", image: "app:1", resources: { requests: { cpu } } }],
});

describe("pods/ephemeralcontainers", () => {
  const { prepareForUpdate, validateUpdate } = ephemeralContainerRules;

  it("takes containers for debugging and nothing else", () => {
    const updated = prepareForUpdate(complete({ ...debug("a"), nodeName: "n" }), complete({}));
    assert.equal(updated.spec!.ephemeralContainers![0]!.name, "debug");
    assert.equal(updated.spec!.nodeName, undefined);
    assert.equal(updated.metadata!.generation, 2);
    assert.deepEqual(validateUpdate(updated, complete({})), []);
  });

  it("lets none go or change", () => {
    const old = complete(debug("a"));
    const lines = (after: V1Pod): string[] =>
      errorLines(validateUpdate(prepareForUpdate(after, old), old)).map((l) => l.split("\n")[0]!);
    const rule =
      'spec.ephemeralContainers Forbidden: existing ephemeral containers "debug" may not be';
    assert.deepEqual(lines(complete({})), [`${rule} removed`]);
    assert.deepEqual(lines(complete(debug("b"))), [`${rule} changed`]);
  });

  it("refuses what such a container cannot have", () => {
    const containers = [{ name: "debug", image: "a", ports: [{ containerPort: 1 }] }];
    const updated = prepareForUpdate(complete({ ephemeralContainers: containers }), complete({}));
    assert.deepEqual(errorLines(validateUpdate(updated, complete({}))), [
      "spec.ephemeralContainers[0].ports Forbidden: cannot be set for an Ephemeral Container",
    ]);
  });
});

describe("pods/resize", () => {
  const { prepareForUpdate, validateUpdate } = resizeRules;

  it("takes resources and nothing else", () => {
    const old = complete(sized("1"));
    const updated = prepareForUpdate(complete({ ...sized("2"), nodeName: "n" }), old);
    assert.deepEqual(updated.spec!.containers[0]!.resources, { requests: { cpu: "2" } });
    assert.equal(updated.spec!.nodeName, undefined);
    assert.equal(updated.metadata!.generation, 2);
    assert.deepEqual(validateUpdate(updated, old), []);
  });

  it("keeps the class of service", () => {
    const old = complete({});
    const updated = prepareForUpdate(complete(sized("1")), old);
    assert.deepEqual(errorLines(validateUpdate(updated, old)), [
      "spec Invalid: Pod QOS Class may not change as a result of resizing",
    ]);
  });

  //  what the pod is            what is asked                 errors
  const row = (what: string, old: V1Pod, after: Partial<V1PodSpec>, ...expected: string[]): void =>
    void it(what, () => {
      const updated = prepareForUpdate(complete(after), old);
      assert.deepEqual(errorLines(validateUpdate(updated, old)), expected);
    });
  const running = (resources?: object): V1Pod => ({
    ...complete(sized("1")),
    status: { containerStatuses: [{ name: "app", state: { running: {} }, resources }] } as never,
  });
  const init = (cpu: string, restartPolicy?: string) => ({
    ...sized("1"),
    initContainers: [
      {
        name: "init",
        image: "i",
        resources: { requests: { cpu } },
        ...(restartPolicy && { restartPolicy }),
      },
    ],
  });
  row("of a node that says what runs", running({ requests: { cpu: "1" } }), sized("2"));
  row(
    "of a node that does not",
    running(),
    sized("2"),
    "spec Forbidden: Pod running on node without support for resize",
  );
  row(
    "takes nothing away",
    complete({
      containers: [
        { name: "app", image: "app:1", resources: { requests: { cpu: "1", memory: "1Mi" } } },
      ],
    }),
    sized("1"),
    "spec.containers[0].resources.requests Forbidden: resource requests cannot be removed",
  );
  row("of a sidecar", complete(init("1", "Always")), init("2", "Always"));
  row(
    "of an init container that ends",
    complete(init("1")),
    init("2"),
    "spec Forbidden: only cpu and memory resources are mutable",
  );
  row(
    "of a static pod",
    withPodDefaults(
      pod("p", {
        spec: sized("1"),
        metadata: { annotations: { "kubernetes.io/config.mirror": "x" } },
      }),
    ),
    sized("2"),
    " Forbidden: static pods cannot be resized",
  );
});
