// An image registry for tests, read-only: `node tools/test-registry.mjs ARCHIVE PORT [USER:PASSWORD [DELAY_MS]]` serves every image
// of a docker archive on 127.0.0.1, under its own names and as `tool`. Prints a line for each manifest it was asked for.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG = "application/vnd.docker.container.image.v1+json";
const LAYER = "application/vnd.docker.image.rootfs.diff.tar";

const [archive, port, login, delayMs] = process.argv.slice(2);
const member = (name) =>
  execFileSync("tar", ["-xOf", archive, name], { maxBuffer: 1024 ** 3, encoding: "buffer" });
const blobs = new Map();
const keep = (bytes, mediaType) => {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  blobs.set(digest, bytes);
  return { mediaType, size: bytes.length, digest };
};

/** `NAME:TAG` → digest of its manifest. */
const manifests = new Map();
for (const { Config, RepoTags, Layers } of JSON.parse(member("manifest.json"))) {
  const config = keep(member(Config), CONFIG);
  const layers = Layers.map((name) => keep(member(name), LAYER));
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers });
  const { digest } = keep(Buffer.from(text), MANIFEST);
  for (const tag of RepoTags) {
    manifests.set(tag, digest);
    manifests.set(`tool:${tag.split(":")[1]}`, digest);
  }
}

createServer((request, response) => {
  const wanted = login && `Basic ${Buffer.from(login).toString("base64")}`;
  if (wanted && request.headers.authorization !== wanted)
    return response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
  const [, , ...words] = request.url.split("/");
  const [kind, reference] = words.slice(-2);
  if (words.join("") === "") return response.writeHead(200).end("{}");
  const name = words.slice(0, -2).join("/");
  if (kind === "manifests") console.log(`${request.method} ${name}:${reference}`);
  const digest = manifests.get(`${name}:${reference}`) ?? reference;
  const bytes = blobs.get(digest);
  if (!bytes) return response.writeHead(404).end("{}");
  const type = kind === "manifests" ? MANIFEST : "application/octet-stream";
  response.setHeader("content-type", type);
  response.setHeader("content-length", bytes.length);
  response.setHeader("docker-content-digest", digest);
  const answer = () => response.end(request.method === "HEAD" ? undefined : bytes);
  setTimeout(answer, kind === "manifests" ? Number(delayMs ?? 0) : 0);
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
