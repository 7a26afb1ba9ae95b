/** A docker-style image name, taken apart. */
export interface Reference {
  /** Registry: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** `library/nginx`. */
  readonly path: string;
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

/** The text is no image name. */
export class InvalidImageName extends Error {
  override readonly name = "InvalidImageName";
}

/** Longest name that containerd and CRI accept, in characters, without tag and digest. */
const NAME_LENGTH_MAX = 255;

const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads an image name as docker does: `nginx` is `docker.io/library/nginx:latest`.
 *
 * @throws {InvalidImageName}
 * @spec github.com/distribution/reference ParseNormalizedNamed
 */
export function parseReference(text: string): Reference {
  const fail = (why: string): never => {
    throw new InvalidImageName(
      `'${text}' is no image name: ${why} (expected something like nginx:1.25 or registry.example/app:v1)`,
    );
  };
  if (/^[0-9a-f]{64}$/.test(text)) fail("64 hex digits are an image ID");
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !DIGEST.test(digest))
    fail("behind '@' belongs sha256: and 64 hex digits");
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag))
    fail(
      "a tag has 1 to 128 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'",
    );
  const { domain, path } = split(colon < 0 ? named : named.slice(0, colon));
  if (!DOMAIN.test(domain)) fail(`'${domain}' is no registry`);
  if (/[A-Z]/.test(path)) fail("it must be in lower case");
  if (!PATH.test(path))
    fail(
      "its parts are lower-case letters and digits, with single separators '.', '_', '__' or '-'",
    );
  if (`${domain}/${path}`.length > NAME_LENGTH_MAX) fail(`over ${NAME_LENGTH_MAX} characters`);
  const isBare = tag === undefined && digest === undefined;
  return {
    domain,
    path,
    ...(isBare ? { tag: "latest" } : tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The full name, as containerd stores it. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}

/** `nginx` → `docker.io/library/nginx:latest`. @throws {InvalidImageName} */
export function normalizeName(text: string): string {
  return formatReference(parseReference(text));
}

function split(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const domain = slash < 0 || !isDomain ? "docker.io" : first;
  const path = slash < 0 || !isDomain ? name : name.slice(slash + 1);
  if (domain !== "docker.io" && domain !== "index.docker.io") return { domain, path };
  return { domain: "docker.io", path: path.includes("/") ? path : `library/${path}` };
}
