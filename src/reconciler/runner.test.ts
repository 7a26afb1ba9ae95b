import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigMap } from "../api/core/config-map.ts";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { StaticCache } from "../../test/support/static-cache.ts";
import type { Cache } from "../client/cache.ts";
import { defineController, type Trigger } from "./controller.ts";
import { sameKeyOf } from "./ownership.ts";
import { loopOf } from "./runner.ts";

const key = { namespace: "d", name: "x" };
const other = (name: string): Trigger => ({ kind: Pod, keys: () => [{ namespace: "d", name }] });

const controller = defineController({
  name: "example",
  primary: Service,
  triggers: [other("a"), sameKeyOf(ConfigMap), other("b"), sameKeyOf(Service)],
  observe: () => undefined,
  plan: () => ({}),
});

describe("loopOf", () => {
  const loop = loopOf(controller, new StaticCache() as unknown as Cache);
  const keysOf = (kind: Kind): readonly string[] =>
    loop.keysOf({ kind, key, old: undefined, object: { metadata: key } });

  it("follows the primary kind and those of its triggers, each once", () => {
    assert.deepEqual(loop.kinds.current(), [Service, Pod, ConfigMap]);
  });

  it("a change concerns what the triggers of its kind say, and itself if it is of the primary kind", () => {
    assert.deepEqual(keysOf(Pod), ["d/a", "d/b"]);
    assert.deepEqual(keysOf(ConfigMap), ["d/x"]);
    assert.deepEqual(keysOf(Service), ["d/x", "d/x"]);
  });
});
