import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { VolumeSpec } from "../volumes/claimed-volume.ts";
import { VolumeError } from "./volume-error.ts";
import { VolumeMounter } from "./volume-mounter.ts";

const none = () => undefined;
const nothing = {
  configMap: none,
  secret: none,
  tokens: new Map(),
  fields: { pod: {}, podIps: [], hostIps: [], nodeName: "n", allocatable: {} },
};

describe("VolumeMounter", () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-volume-mounter-"));
  after(() => rmSync(root, { recursive: true }));
  const mounter = new VolumeMounter(join(root, "state"), join(root, "own"));
  const pod = { metadata: { name: "p", namespace: "default", uid: "u" } };
  const spec = (name: string, source: VolumeSpec["source"]): VolumeSpec => ({
    ...{ volume: name, name, source },
    ...{ isPersistent: true, isReadOnly: false, mountOptions: [] },
  });

  it("fails only when nobody mounts any more, with what failed first", async () => {
    const path = join(root, "a/b/made");
    const specs = [
      spec("bad", {}),
      spec("worse", { csi: { driver: "other" } }),
      spec("slow", { hostPath: { path, type: "DirectoryOrCreate" } }),
    ];
    const failure = new VolumeError('volume "bad" has no source');
    await assert.rejects(mounter.prepare(pod, nothing, 0, specs), failure);
    assert.ok(existsSync(path));
  });

  it("takes no server of an NFS volume for an option of the command", async () => {
    const specs = [spec("remote", { nfs: { server: "-ofstype=x", path: "/" } })];
    await assert.rejects(mounter.prepare(pod, nothing, 0, specs), {
      message:
        'MountVolume.SetUp failed for volume "remote" : server "-ofstype=x" must be a host name or an address',
    });
  });
});
