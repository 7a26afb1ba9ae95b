import { spawn } from "node:child_process";

/** The kernel or nft refused a transaction; nothing of it was applied. */
export class NftFailed extends Error {
  override readonly name = "NftFailed";
}

/** Applies one transaction: all of it, or nothing. */
export interface RuleExecutor {
  /** @throws {NftFailed} */
  apply(transaction: string): Promise<void>;
}

/** Runs `nft -f -` in this process's network namespace. */
export const nftExecutor: RuleExecutor = {
  apply: (transaction) =>
    new Promise((resolve, reject) => {
      const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
      let stderr = "";
      child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
      child.on("error", (error) => reject(new NftFailed(error.message)));
      child.on("close", (code) =>
        code === 0 ? resolve() : reject(new NftFailed(stderr.trim().slice(0, 2000))),
      );
      child.stdin.on("error", () => {});
      child.stdin.end(transaction);
    }),
};
