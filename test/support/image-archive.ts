import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** What an image holds: one static program, under several names. */
export interface ImageRecipe {
  readonly tag: string;
  /** Path on this machine. */
  readonly program: string;
  /** Path in the image. */
  readonly path: string;
  /** Further names of it. */
  readonly links?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
}

/** Packs a docker archive of one layer. @returns its path. */
export function imageArchive(folder: string, recipe: ImageRecipe): string {
  const work = mkdtempSync(join(folder, "image-"));
  const root = join(work, "root");
  for (const name of ["bin", "etc", "tmp"]) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(recipe.program, join(root, recipe.path));
  for (const link of recipe.links ?? []) symlinkSync(`/${recipe.path}`, join(root, link));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  execFileSync("tar", ["-C", root, "-cf", join(work, "layer.tar"), "."]);
  const layer = createHash("sha256")
    .update(readFileSync(join(work, "layer.tar")))
    .digest("hex");
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {
      Env: ["PATH=/bin"],
      ...(recipe.entrypoint ? { Entrypoint: recipe.entrypoint } : {}),
      ...(recipe.user ? { User: recipe.user } : {}),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [recipe.tag], Layers: ["layer.tar"] }];
  writeFileSync(join(work, "manifest.json"), JSON.stringify(manifest));
  const archive = join(work, "image.tar");
  execFileSync("tar", ["-C", work, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
  return archive;
}
