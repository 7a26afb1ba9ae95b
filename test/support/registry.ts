import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { until } from "./cluster.ts";

/** A real registry (Debian's docker-registry) over plain HTTP, and what it holds in a folder. */
export interface TestRegistry {
  /** `10.88.0.1:40123` */
  readonly host: string;
  /** Puts the image of an OCI layout there as `NAME:TAG`. */
  push(layout: string, name: string, tag: string): Promise<void>;
  close(): void;
}

/** Starts a registry on `address`, at a free port. `folder`: for its files. */
export async function startRegistry(address: string, folder: string): Promise<TestRegistry> {
  const port = await freePort(address);
  const host = `${address}:${port}`;
  const file = join(folder, "registry.yml");
  writeFileSync(
    file,
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${join(folder, "registry")}\nhttp:\n  addr: ${host}\n`,
  );
  const child: ChildProcess = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
  await until("the registry answers", async () => (await fetch(`http://${host}/v2/`)).ok);
  return {
    host,
    push: (layout, name, tag) => push(`http://${host}/v2/${name}`, layout, tag),
    close: () => void child.kill(),
  };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

/** @spec opencontainers/distribution-spec "Pushing blobs", "Pushing manifests" */
async function push(base: string, layout: string, tag: string): Promise<void> {
  const blob = (digest: string): Buffer =>
    readFileSync(join(layout, "blobs", ...digest.split(":")));
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as {
    manifests: Descriptor[];
  };
  const top = index.manifests[0]!;
  const manifest = JSON.parse(blob(top.digest).toString()) as {
    config: Descriptor;
    layers: Descriptor[];
  };
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const target = new URL(begun.headers.get("location")!, base);
    target.searchParams.set("digest", digest);
    await accepted(fetch(target, { method: "PUT", body: blob(digest) }));
  }
  await accepted(
    fetch(`${base}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": top.mediaType },
      body: blob(top.digest),
    }),
  );
}

async function accepted(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  if (!response.ok)
    throw new Error(`the registry said ${response.status}: ${await response.text()}`);
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
