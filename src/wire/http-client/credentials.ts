import { readFile, stat } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";

/** How long read credentials are used before their files are looked at again. Doubling delays a rotation by as much. */
const CHECK_MS = 10_000;

/** Who to be, and whom to trust. PEM texts; a token goes into every request. */
export interface Credentials {
  readonly ca: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly token?: string;
}

/** Credentials that may change while in use. */
export interface CredentialSource {
  /** The same object as long as nothing changed. @throws when they cannot be read. */
  current(): Promise<Credentials>;
}

/** Credentials that stay as they are. */
export function fixedCredentials(credentials: Credentials): CredentialSource {
  return { current: () => Promise.resolve(credentials) };
}

export interface CredentialFiles {
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
}

/**
 * Reads credentials from files, again when one of them has changed.
 *
 * A certificate and a key that were written one after the other may not fit for a moment: the connection then fails, and
 * the next one reads them again.
 */
export class FileCredentials implements CredentialSource {
  readonly #files: CredentialFiles;
  readonly #clock: Clock;
  #known: { credentials: Credentials; version: string; checkedMs: number } | undefined;

  constructor(files: CredentialFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  async current(): Promise<Credentials> {
    const nowMs = this.#clock.monotonic();
    if (this.#known && nowMs - this.#known.checkedMs < CHECK_MS) return this.#known.credentials;
    const version = await this.#version();
    if (this.#known?.version !== version) {
      this.#known = { credentials: await this.#read(), version, checkedMs: nowMs };
    }
    this.#known.checkedMs = nowMs;
    return this.#known.credentials;
  }

  async #version(): Promise<string> {
    const { caFile, certFile, keyFile, tokenFile } = this.#files;
    const paths = [caFile, certFile, keyFile, tokenFile].filter((path) => path !== undefined);
    const stats = await Promise.all(paths.map((path) => stat(path)));
    return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join();
  }

  async #read(): Promise<Credentials> {
    const { caFile, certFile, keyFile, tokenFile } = this.#files;
    const [ca, cert, key, token] = await Promise.all([
      readFile(caFile),
      certFile === undefined ? undefined : readFile(certFile),
      keyFile === undefined ? undefined : readFile(keyFile),
      tokenFile === undefined ? undefined : readFile(tokenFile, "utf8"),
    ]);
    return {
      ca,
      ...(cert && { cert }),
      ...(key && { key }),
      ...(token && { token: token.trim() }),
    };
  }
}
