import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { ScriptedCri } from "../../../test/support/scripted-cri.ts";
import { PodMeter } from "./pod-meter.ts";

describe("PodMeter", () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-pod-meter-"));
  after(() => rmSync(root, { recursive: true }));
  const meter = new PodMeter(new ScriptedCri(new VirtualClock()), {
    ...{ nodeName: "n", cgroupRoot: "/none", logRoot: join(root, "logs"), stateRoot: root },
    ...{ memoryBytes: 0, dns: { clusterServers: [], clusterDomain: "", host: {} as never } },
  });

  const rows: readonly (readonly [string, string, number])[] = [
    ["the Pod's own", "volumes/kubernetes.io~empty-dir/v/file", 4],
    ["mounted", "volumes/kubernetes.io~nfs/v/file", 1],
    ["mounted", "volume-subpaths/v/app/0", 0],
    ["the Pod's own", "volumes/kubernetes.io~empty-dir/v/volumes/kubernetes.io~nfs/a/b", 7],
    ["the Pod's own", "volumes/kubernetes.io~empty-dir/v/volume-subpaths/a", 5],
  ];
  for (const [index, [whose, path, inodes]] of rows.entries())
    it(`${path} is ${whose}`, async () => {
      mkdirSync(join(root, `pods/${index}`, path), { recursive: true });
      const [use] = await meter.uses([{ metadata: { uid: `${index}` } }]);
      assert.equal(use?.inodes, inodes);
    });
});
