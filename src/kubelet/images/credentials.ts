import type { V1Secret } from "../../gen/types.ts";
import type { AuthConfig } from "../../wire/cri/cri-client.ts";
import type { ImageReference } from "./reference.ts";

interface DockerAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
}

/**
 * What pull secrets say for an image's registry, the most specific entry first.
 *
 * @spec k8s@1.36 pkg/credentialprovider keyring.go, config.go
 */
export function credentialsFor(
  { registry, path }: ImageReference,
  secrets: readonly V1Secret[],
): readonly AuthConfig[] {
  const wanted = `${registry}/${path}`;
  return secrets
    .flatMap(entriesOf)
    .map(([location, auth]) => ({ location: normalized(location), auth }))
    .filter(({ location }) => matches(location, wanted))
    .sort((a, b) => b.location.length - a.location.length)
    .map(({ auth }) => authConfig(auth));
}

function entriesOf({ type, data }: V1Secret): readonly (readonly [string, DockerAuth])[] {
  const isJson = type === "kubernetes.io/dockerconfigjson";
  const encoded = data?.[isJson ? ".dockerconfigjson" : ".dockercfg"];
  if (encoded === undefined) return [];
  try {
    const parsed = JSON.parse(Buffer.from(encoded, "base64").toString("utf8")) as {
      readonly auths?: Readonly<Record<string, DockerAuth>>;
    };
    const auths = isJson ? parsed.auths : (parsed as Readonly<Record<string, DockerAuth>>);
    return Object.entries(auths ?? {});
  } catch {
    return [];
  }
}

function normalized(location: string): string {
  const bare = location.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  return bare.replace(/^(index\.docker\.io|registry-1\.docker\.io)/, "docker.io");
}

/** `*.example.org` stands for one label. */
function matches(location: string, wanted: string): boolean {
  const [host = "", ...path] = location.split("/");
  const [wantedHost = "", ...wantedPath] = wanted.split("/");
  const labels = host.split(".");
  const wantedLabels = wantedHost.split(".");
  const isHost =
    labels.length === wantedLabels.length &&
    labels.every((label, index) => label === "*" || label === wantedLabels[index]);
  return isHost && path.every((part, index) => part === wantedPath[index]);
}

/** Without a server address, as upstream's: containerd takes one for a URL, and `host:5000` for one of scheme `host`. */
function authConfig(auth: DockerAuth): AuthConfig {
  const [user, ...rest] = Buffer.from(auth.auth ?? "", "base64")
    .toString("utf8")
    .split(":");
  return {
    username: auth.username ?? user ?? "",
    password: auth.password ?? rest.join(":"),
    ...(auth.identitytoken === undefined ? {} : { identityToken: auth.identitytoken }),
  };
}
