import { describe } from "node:test";
import type { Store } from "./store.ts";
import { commitSuite } from "./suite/commits.ts";
import { compactionSuite } from "./suite/compaction.ts";
import { modelSuite } from "./suite/model.ts";
import { readSuite } from "./suite/reads.ts";
import { restartSuite } from "./suite/restart.ts";
import { watchSuite } from "./suite/watches.ts";

/** One place where stores live: opening again gives the store that was closed there. */
export interface StorePlace {
  /** Keys below `/volatile/` are volatile. */
  open(): Promise<Store>;
  /** Ends the opened store without closing it, as `kill -9` does; absent where a test cannot. */
  kill?(): Promise<void>;
  remove(): Promise<void>;
}

/** Tests every sentence of the contract; each test in a place of its own. */
export function storeSuite(name: string, newPlace: () => Promise<StorePlace>): void {
  describe(`store contract: ${name}`, () => {
    commitSuite(newPlace);
    readSuite(newPlace);
    watchSuite(newPlace);
    compactionSuite(newPlace);
    restartSuite(newPlace);
    modelSuite(newPlace);
  });
}
