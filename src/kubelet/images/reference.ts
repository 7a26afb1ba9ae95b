/** @spec distribution/reference regexp.go */
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** A name of an image, taken apart. */
export interface ImageReference {
  /** As the runtime is asked: with `:latest` where neither tag nor digest is given. */
  readonly name: string;
  /** `docker.io` where none is given. */
  readonly registry: string;
  readonly path: string;
}

/** Takes an image's name apart. @returns the parser's complaint when it is none. */
export function parseReference(text: string): ImageReference | string {
  const [named = "", digest, ...rest] = text.split("@");
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  const whole = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const { registry, path } = split(whole);
  if (path.toLowerCase() !== path && PATH.test(path.toLowerCase()))
    return `couldn't parse image name ${JSON.stringify(text)}: invalid reference format: repository name (${path}) must be lowercase`;
  const isGood =
    DOMAIN.test(registry) &&
    PATH.test(path) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest)) &&
    rest.length === 0;
  if (!isGood) return `couldn't parse image name ${JSON.stringify(text)}: invalid reference format`;
  const isBare = tag === undefined && digest === undefined;
  return { name: isBare ? `${text}:latest` : text, registry, path };
}

function split(whole: string): { readonly registry: string; readonly path: string } {
  const slash = whole.indexOf("/");
  const first = slash < 0 ? "" : whole.slice(0, slash);
  const isRegistry = /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
  if (isRegistry) return { registry: first, path: whole.slice(slash + 1) };
  return { registry: "docker.io", path: slash < 0 ? `library/${whole}` : whole };
}
