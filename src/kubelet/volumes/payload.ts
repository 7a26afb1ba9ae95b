import type {
  V1ConfigMap,
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1Secret,
  V1Volume,
  V1VolumeProjection,
} from "../../gen/types.ts";
import { ConfigError, type ObjectSource } from "../env/environment.ts";
import { fieldValue, resourceValue, type FieldContext } from "../env/field-ref.ts";

/** Files of one volume by their path in it. */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface PayloadFile {
  readonly data: Buffer;
  readonly mode: number;
  /** A token: readable by nobody but the Pod. */
  readonly isToken?: boolean;
}

/** One service account token that a volume needs. */
export interface TokenNeed {
  readonly audience: string;
  readonly expirationSeconds: number;
}

/** What payloads are made of. */
export interface PayloadSource extends ObjectSource {
  readonly fields: FieldContext;
  /** Fetched before: by `tokenKey`. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** Permissions of files that name none. @spec core/v1 ConfigMapVolumeSourceDefaultMode and its like */
const MODE_DEFAULT = 0o644;

/** Life of a token that names none, in seconds. @spec core/v1 ServiceAccountTokenProjection */
const TOKEN_SECONDS_DEFAULT = 3600;

/** True for volumes whose files come from the API. */
export function hasPayload({ configMap, secret, projected, downwardAPI }: V1Volume): boolean {
  return (configMap ?? secret ?? projected ?? downwardAPI) !== undefined;
}

/** The tokens that a volume needs. */
export function tokensOf({ projected }: V1Volume): readonly TokenNeed[] {
  return (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
    token
      ? [
          {
            audience: token.audience ?? "",
            expirationSeconds: token.expirationSeconds ?? TOKEN_SECONDS_DEFAULT,
          },
        ]
      : [],
  );
}

/** Names a token among those of its Pod. */
export function tokenKey({ audience, expirationSeconds }: TokenNeed): string {
  return `${expirationSeconds} ${audience}`;
}

/**
 * The files of a volume.
 *
 * @throws {ConfigError} something named is missing and not optional.
 * @spec k8s@1.36 pkg/volume/{configmap,secret,projected,downwardapi} collectData, MakePayload
 */
export function payloadOf(volume: V1Volume, source: PayloadSource): Payload {
  const { configMap, secret, projected, downwardAPI } = volume;
  if (configMap)
    return configMapFiles(
      configMap.name ?? "",
      configMap.items,
      configMap.optional ?? false,
      configMap.defaultMode ?? MODE_DEFAULT,
      source,
    );
  if (secret)
    return secretFiles(
      secret.secretName ?? "",
      secret.items,
      secret.optional ?? false,
      secret.defaultMode ?? MODE_DEFAULT,
      source,
    );
  if (downwardAPI)
    return downwardFiles(downwardAPI.items, downwardAPI.defaultMode ?? MODE_DEFAULT, source);
  const mode = projected?.defaultMode ?? MODE_DEFAULT;
  const parts = (projected?.sources ?? []).map((part) => projectionFiles(part, mode, source));
  return new Map(parts.flatMap((part) => [...part]));
}

function projectionFiles(
  { configMap, secret, downwardAPI, serviceAccountToken: token }: V1VolumeProjection,
  mode: number,
  source: PayloadSource,
): Payload {
  if (configMap) {
    const { name = "", items, optional = false } = configMap;
    return configMapFiles(name, items, optional, mode, source);
  }
  if (secret) {
    const { name = "", items, optional = false } = secret;
    return secretFiles(name, items, optional, mode, source);
  }
  if (downwardAPI) return downwardFiles(downwardAPI.items, mode, source);
  if (!token) return new Map();
  const need: TokenNeed = {
    audience: token.audience ?? "",
    expirationSeconds: token.expirationSeconds ?? TOKEN_SECONDS_DEFAULT,
  };
  const text = source.tokens.get(tokenKey(need));
  if (text === undefined) throw new ConfigError("service account token was not issued");
  return new Map([[token.path, { data: Buffer.from(text), mode, isToken: true }]]);
}

function configMapFiles(
  name: string,
  items: readonly V1KeyToPath[] | undefined,
  isOptional: boolean,
  mode: number,
  source: PayloadSource,
): Payload {
  const object = source.configMap(name);
  if (!object && !isOptional) throw new ConfigError(`configmap ${JSON.stringify(name)} not found`);
  return select(configMapData(object), items, isOptional, mode, "configmap");
}

function secretFiles(
  name: string,
  items: readonly V1KeyToPath[] | undefined,
  isOptional: boolean,
  mode: number,
  source: PayloadSource,
): Payload {
  const object = source.secret(name);
  if (!object && !isOptional) throw new ConfigError(`secret ${JSON.stringify(name)} not found`);
  return select(secretData(object), items, isOptional, mode, "secret");
}

function configMapData(object: V1ConfigMap | undefined): ReadonlyMap<string, Buffer> {
  return new Map([
    ...Object.entries(object?.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
    ...decoded(object?.binaryData),
  ]);
}

function secretData(object: V1Secret | undefined): ReadonlyMap<string, Buffer> {
  return new Map(decoded(object?.data));
}

function decoded(
  data: Readonly<Record<string, string>> | undefined,
): readonly (readonly [string, Buffer])[] {
  return Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64")]);
}

function select(
  data: ReadonlyMap<string, Buffer>,
  items: readonly V1KeyToPath[] | undefined,
  isOptional: boolean,
  mode: number,
  what: string,
): Payload {
  if (!items || items.length === 0)
    return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]));
  const files = new Map<string, PayloadFile>();
  for (const { key, path, mode: own } of items) {
    const bytes = data.get(key);
    if (bytes) files.set(path, { data: bytes, mode: own ?? mode });
    else if (!isOptional)
      throw new ConfigError(
        `${what} references non-existent ${what === "secret" ? "secret" : "config"} key: ${key}`,
      );
  }
  return files;
}

function downwardFiles(
  items: readonly V1DownwardAPIVolumeFile[] | undefined,
  mode: number,
  { fields }: PayloadSource,
): Payload {
  return new Map(
    (items ?? []).map(({ path, fieldRef, resourceFieldRef, mode: own }) => {
      const text = fieldRef
        ? fieldValue(fields, fieldRef.fieldPath)
        : resourceFieldRef && resourceValue(fields, resourceFieldRef, undefined);
      if (text === undefined) throw new ConfigError(`unsupported field for ${path}`);
      return [path, { data: Buffer.from(text), mode: own ?? mode }];
    }),
  );
}
