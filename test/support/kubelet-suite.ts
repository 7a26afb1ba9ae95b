import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/base/clock.ts";
import { startKubeletWorld, type KubeletLimits, type KubeletWorld } from "./kubelet-world.ts";
import {
  fetchBusybox,
  isInside,
  runInside,
  startContainerd,
  type PrivateContainerd,
} from "./private-containerd.ts";

/**
 * Describes one kubelet on a containerd of its own: started before the first test, closed after the last.
 *
 * The test file of `url` is run once more, in namespaces of its own; there `suite` registers its tests. What it is given is there once they run.
 */
export function describeKubelet(
  title: string,
  url: string,
  suite: (world: KubeletWorld, containerd: PrivateContainerd) => void,
  { limits, clock }: { readonly limits?: KubeletLimits; readonly clock?: Clock } = {},
): void {
  if (!isInside()) {
    it(title, () => {
      fetchBusybox();
      const { code, output } = runInside(fileURLToPath(url));
      assert.equal(code, 0, output);
    });
    return;
  }
  describe(title, () => {
    let containerd: PrivateContainerd;
    let world: KubeletWorld;
    before(async () => {
      containerd = await startContainerd();
      world = await startKubeletWorld(containerd, limits, clock);
    });
    after(async () => {
      await world.close();
      await containerd.close();
    });
    suite(
      later(() => world),
      later(() => containerd),
    );
  });
}

/** Stands for what is there later. */
function later<T extends object>(started: () => T): T {
  return new Proxy({} as T, { get: (_, name) => Reflect.get(started(), name) as unknown });
}
