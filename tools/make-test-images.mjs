// Builds the images that tests use, out of Debian packages, without a registry: `node tools/make-test-images.mjs [RECIPE …]`
// prints the path of each archive (docker save's form). They are cached in ~/.cache/skiff-test-images.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

const CACHE = join(homedir(), ".cache", "skiff-test-images");

/** Raised when the code below builds other archives from the same recipes. */
const BUILDER_VERSION = "1";

/** Images of one archive share a root file system; their tags differ in a variable, so that their IDs differ. */
export const RECIPES = {
  busybox: {
    packages: ["busybox-static"],
    images: ["busybox:latest", "busybox:1.29"],
    config: { Cmd: ["sh"] },
    files: {},
  },
  nginx: {
    packages: ["busybox-static", "nginx"],
    images: ["latest", "alpine", "1.14", "1.14.2", "1.16", "1.25"].map((tag) => `nginx:${tag}`),
    config: {
      Cmd: ["nginx", "-g", "daemon off;"],
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGQUIT",
    },
    files: {
      "etc/nginx/nginx.conf":
        "worker_processes 1;\nerror_log /dev/stderr notice;\npid /run/nginx.pid;\n" +
        "events { worker_connections 512; }\n" +
        "http {\n  include mime.types;\n  access_log /dev/stdout;\n  include conf.d/*.conf;\n}\n",
      "etc/nginx/conf.d/default.conf":
        "server {\n  listen 80;\n  location / { root /usr/share/nginx/html; index index.html; }\n}\n",
    },
  },
};

/** Packages that others depend on, but no container needs. */
const LEFT_OUT =
  /^(debconf.*|dpkg|perl|perl-base|perl-modules.*|libperl.*|init-system-helpers|systemd.*|libsystemd-shared|apt|gcc-.*-base|libc6-.*|passwd|adduser|lsb-base|sysvinit-utils|cdebconf)$/;

const FOLDERS = [
  ...["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/bin", "etc", "root", "run", "proc"],
  ...["sys", "dev", "home", "opt", "srv", "mnt", "tmp", "var/log", "var/tmp", "var/lib"],
];

const PASSWD =
  "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP = "root:x:0:\nadm:x:4:\nwww-data:x:33:\nnogroup:x:65534:\n";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Path of the archive with a recipe's images; built when it is not cached. */
export function testImageArchive(name) {
  const recipe = RECIPES[name];
  if (!recipe) throw new Error(`no recipe '${name}': expected ${Object.keys(RECIPES).join(", ")}`);
  const version = createHash("sha256")
    .update(JSON.stringify(recipe))
    .update(BUILDER_VERSION)
    .digest("hex")
    .slice(0, 12);
  const path = join(CACHE, `${name}-${version}.tar`);
  if (existsSync(path)) return path;
  const work = mkdtempSync(join(tmpdir(), "skiff-image-"));
  try {
    build(recipe, work, `${path}.${process.pid}`);
    renameSync(`${path}.${process.pid}`, path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function build({ packages, images, config, files }, work, out) {
  const root = join(work, "root");
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
  for (const deb of download(withDependencies(packages))) unpack(deb, root);
  addApplets(root);
  for (const [name, text] of Object.entries({
    "etc/passwd": PASSWD,
    "etc/group": GROUP,
    ...files,
  })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  run("chmod", ["1777", join(root, "tmp"), join(root, "var/tmp")]);
  const members = join(work, "members");
  mkdirSync(members);
  const layer = join(members, "layer.tar");
  pack(root, layer, ["--owner=0", "--group=0", "."]);
  const diffId = `sha256:${createHash("sha256").update(readFileSync(layer)).digest("hex")}`;
  const manifest = images.map((image) => {
    const file = `${image.replace(":", "_")}.json`;
    writeFileSync(join(members, file), JSON.stringify(configuration(image, config, diffId)));
    return { Config: file, RepoTags: [image], Layers: ["layer.tar"] };
  });
  writeFileSync(join(members, "manifest.json"), JSON.stringify(manifest));
  pack(members, out, readdirSync(members).sort());
}

function configuration(image, config, diffId) {
  return {
    architecture: run("dpkg", ["--print-architecture"]).trim(),
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: { ...config, Env: [PATH, `IMAGE_TAG=${image.split(":")[1]}`] },
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
}

function withDependencies(packages) {
  const options = ["suggests", "conflicts", "breaks", "replaces", "enhances", "recommends"];
  const listed = run("apt-cache", [
    "depends",
    "--recurse",
    ...options.map((kind) => `--no-${kind}`),
    ...packages,
  ]);
  const names = [...new Set(listed.split("\n").filter((line) => /^[a-z0-9]/.test(line)))].sort();
  const wanted = names.filter((name) => !LEFT_OUT.test(name) && !name.includes(":"));
  // Virtual packages have no candidate.
  const policy = run("apt-cache", ["policy", ...wanted]).split(/^(?=\S)/m);
  const real = new Set(
    policy.filter((text) => /Candidate: [^(]/.test(text)).map((text) => text.split(":")[0]),
  );
  for (const name of packages)
    if (!real.has(name)) throw new Error(`Debian has no package '${name}': run 'apt-get update'`);
  return wanted.filter((name) => real.has(name));
}

/** Paths of the packages' files; missing ones are downloaded, all at once: apt-get takes a second to start. */
function download(names) {
  const debs = join(CACHE, "debs");
  mkdirSync(debs, { recursive: true });
  const find = (name) => readdirSync(debs).find((file) => file.startsWith(`${name}_`));
  const missing = names.filter((name) => !find(name));
  if (missing.length > 0)
    execFileSync("apt-get", ["-o", "APT::Sandbox::User=root", "download", "-qq", ...missing], {
      cwd: debs,
      stdio: ["ignore", "ignore", "inherit"],
    });
  return names.map((name) => join(debs, find(name)));
}

/** Maintainer scripts are not run. */
function unpack(deb, root) {
  const data = execFileSync("dpkg-deb", ["--fsys-tarfile", deb], { maxBuffer: 1024 ** 3 });
  const excluded = ["doc", "man", "locale", "info"].map((f) => `--exclude=./usr/share/${f}/*`);
  run("tar", ["-x", "-C", root, "--keep-directory-symlink", ...excluded], data);
}

/** busybox answers to all its applets that no package brings. */
function addApplets(root) {
  for (const applet of run(join(root, "bin/busybox"), ["--list"]).trim().split("\n"))
    if (!["bin", "sbin"].some((folder) => existsSync(join(root, "usr", folder, applet))))
      symlinkSync("busybox", join(root, "usr/bin", applet));
}

/** The same files give the same bytes. */
function pack(folder, out, args) {
  const fixed = ["--numeric-owner", "--sort=name", "--mtime=@0"];
  run("tar", ["-C", folder, ...fixed, "-cf", out, ...args]);
}

function run(command, args, input) {
  return execFileSync(command, args, { input, encoding: "utf8", maxBuffer: 64 * 1024 ** 2 });
}

// Tests import this file as a part of their own bundle.
if (process.argv[1]?.endsWith("make-test-images.mjs")) {
  const names = process.argv.slice(2);
  for (const name of names.length > 0 ? names : Object.keys(RECIPES))
    console.log(testImageArchive(name));
}
