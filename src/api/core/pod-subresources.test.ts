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
});
