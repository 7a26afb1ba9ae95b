import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeSuite } from "../store-suite.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";

storeSuite("lmdb", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
  return {
    open: () => openLmdbStore({ folder, isVolatile: (key) => key.startsWith("/volatile/") }),
    remove: () => rm(folder, { recursive: true }),
  };
});
