import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  dockerArchive,
  dockerMembers,
  layerOf,
  ociArchive,
  ociMembers,
  type TestImage,
} from "../../test/support/crafted-archives.ts";
import { ArchiveError } from "./archive-error.ts";
import { readArchive, type ArchiveOptions } from "./archive.ts";
import { readDocument, sha256 } from "./blobs.ts";
import { ImageLayout } from "./layout.ts";
import { parseManifest } from "./manifest.ts";
import { tarArchive, type TarMember } from "./tar-writer.ts";

const base = layerOf({ base: "b" });
const top = layerOf({ top: "t" });
const app: TestImage = { names: ["app:1", "app:2"], layers: [base, top] };
const other: TestImage = { names: ["registry.example/other"], layers: [base] };
const PLATFORM = { os: "linux", architecture: "amd64" };

let folder = "";
let layout: ImageLayout;
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  folder = mkdtempSync(join(tmpdir(), "skiff-layout-"));
  layout = new ImageLayout(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function load(archive: Uint8Array, options: ArchiveOptions = {}): Promise<readonly string[]> {
  const images = await readArchive(layout, Readable.from([archive]), {
    platform: PLATFORM,
    ...options,
  });
  await layout.put(images);
  await layout.collectGarbage();
  return (await layout.images()).map(({ name }) => name).sort();
}

async function layersOf(name: string): Promise<readonly string[]> {
  const image = (await layout.images()).find((candidate) => candidate.name === name)!;
  const manifest = await readDocument(layout, image.target.digest, name);
  return parseManifest(manifest, name).layers.map(({ digest }) => digest);
}

const blobCount = (): number => readdirSync(join(folder, "blobs", "sha256")).length;
const altered = (members: readonly TarMember[], name: RegExp, content?: string): Buffer =>
  tarArchive(
    members.flatMap((member) => {
      if (!name.test(member.name)) return [member];
      return content === undefined ? [] : [{ ...member, content: Buffer.from(content) }];
    }),
  );

describe("readArchive of docker archives", () => {
  const names = [
    "docker.io/library/app:1",
    "docker.io/library/app:2",
    "registry.example/other:latest",
  ];

  it("reads several images with several names; shared layers are kept once", async () => {
    assert.deepEqual(await load(dockerArchive([app, other])), names);
    assert.deepEqual(await layersOf(names[0]!), [sha256(base), sha256(top)]);
    assert.equal(blobCount(), 2 + 2 + 2); // manifests, configurations, layers
  });

  it("reads gzipped layers as what they unpack to, in a gzipped archive", async () => {
    const archive = gzipSync(dockerArchive([app, other], { isLayerGzipped: true }));
    assert.deepEqual(await load(archive), names);
    assert.deepEqual(await layersOf(names[0]!), [sha256(base), sha256(top)]);
    assert.equal(blobCount(), 6);
  });

  it("follows links between layers", async () => {
    const name = sha256(base).slice("sha256:".length);
    const members = dockerMembers([other]).map((member) =>
      member.name.includes(name) ? { ...member, name: "real/layer.tar" } : member,
    );
    const link = { name: `${name}/layer.tar`, linkTarget: "../real/layer.tar" };
    assert.deepEqual(await load(tarArchive([link, ...members])), [names[2]]);
  });

  it("names a nameless image with --tag, and refuses it without", async () => {
    const archive = dockerArchive([{ names: [], layers: [base] }]);
    await assert.rejects(load(archive), /without a name: give it one with --tag/);
    assert.deepEqual(await load(archive, { name: "docker.io/library/x:1" }), [
      "docker.io/library/x:1",
    ]);
  });

  it("loading a name anew drops what only the old image needed", async () => {
    await load(dockerArchive([app]));
    await load(dockerArchive([{ ...app, layers: [top] }]));
    assert.deepEqual(await layersOf("docker.io/library/app:1"), [sha256(top)]);
    assert.equal(blobCount(), 3);
  });

  const members = dockerMembers([app]);
  for (const [what, archive, message] of [
    ["without manifest.json", altered(members, /^manifest/), /expected manifest\.json/],
    [
      "of before docker 1.10",
      tarArchive([{ name: "repositories", content: Buffer.from("{}") }]),
      /before 1\.10/,
    ],
    [
      "with a manifest that is no JSON",
      altered(members, /^manifest/, "{"),
      /manifest\.json is no JSON/,
    ],
    ["with a manifest that is no list", altered(members, /^manifest/, "{}"), /no list/],
    ["with an empty manifest", altered(members, /^manifest/, "[]"), /holds no image/],
    ["without a layer", altered(members, /layer\.tar$/), /layer '.*'.* is missing/],
    [
      "with a damaged layer",
      altered(members, /layer\.tar$/, "other"),
      /is damaged: it holds sha256:.*expected sha256:/,
    ],
    [
      "with a layer of broken gzip",
      altered(members, /layer\.tar$/, "\x1f\x8bjunk"),
      /is damaged|gzip/,
    ],
    ["without a configuration", altered(members, /^[0-9a-f]{64}\.json/), /is missing/],
    ["cut off", tarArchive(members).subarray(0, 2000), /cut off/],
    ["with a name that is none", dockerArchive([{ ...app, names: ["A B"] }]), /no image name/],
    ["compressed with xz", Buffer.from("fd377a585a00", "hex"), /compressed with xz/],
    ["of cut gzip", gzipSync(tarArchive(members)).subarray(0, 200), /gzip data is damaged/],
  ] as const)
    it(`refuses one ${what}, and keeps nothing of it`, async () => {
      await assert.rejects(
        load(archive),
        (error) => error instanceof ArchiveError && message.test(error.message),
      );
      await layout.collectGarbage();
      assert.deepEqual(await layout.images(), []);
    });
});

describe("readArchive of OCI archives", () => {
  const image: TestImage = { names: ["docker.io/library/app:1"], layers: [base, top] };

  for (const depth of [0, 1, 2])
    it(`reads images under ${depth} nested indexes; layers stay compressed`, async () => {
      assert.deepEqual(await load(ociArchive([image], depth)), image.names);
      assert.deepEqual(
        await layersOf(image.names[0]!),
        [gzipSync(base), gzipSync(top)].map(sha256),
      );
    });

  it("joins several names of one image", async () => {
    const names = ["docker.io/library/app:1", "registry.example/app:1"];
    assert.deepEqual(await load(ociArchive([{ ...image, names }])), names);
    assert.equal(blobCount(), 4);
  });

  it("refuses a bare tag as a name without --tag", async () => {
    const archive = ociArchive([{ ...image, names: ["latest"] }]);
    await assert.rejects(load(archive), /--tag/);
    assert.deepEqual(await load(archive, { name: "docker.io/library/a:b" }), [
      "docker.io/library/a:b",
    ]);
  });

  const members = ociMembers([image]);
  const layer = new RegExp(sha256(gzipSync(base)).slice("sha256:".length));
  for (const [what, archive, options, message] of [
    ["with a damaged blob", altered(members, layer, "other"), {}, /is damaged: its content is/],
    ["without a blob", altered(members, layer), {}, /blob sha256:.* is missing/],
    ["without its index", altered(members, /^index/), {}, /no image archive/],
    [
      "for another machine",
      ociArchive([image], 1),
      { platform: { os: "linux", architecture: "arm64" } },
      /no image for linux\/arm64/,
    ],
    ["with indexes without end", ociArchive([image], 9), {}, /nested over 4 deep/],
    [
      "with a digest that is none",
      altered(
        members,
        /^index/,
        '{"manifests":[{"mediaType":"m","digest":"sha256:../../x","size":1}]}',
      ),
      {},
      /no sha256 digest/,
    ],
  ] as const)
    it(`refuses one ${what}`, async () => {
      await assert.rejects(
        load(archive, options),
        (error) => error instanceof ArchiveError && message.test(error.message),
      );
    });
});
