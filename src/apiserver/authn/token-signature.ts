import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Raw r‖s as JWS wants it, not DER. @spec RFC 7518 section 3.4 */
const ENCODING = "ieee-p1363";

/** Longest token looked at: ours have some 1,200 characters, and HTTP headers end at 64 kB. */
const TOKEN_CHARACTERS_MAX = 16_384;

/** A P-256 key that signs tokens, and its name in their headers. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** @throws {Error} of `node:crypto`, or: not a P-256 key. */
export function loadSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new Error("the service account key must be an ECDSA P-256 key");
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: "spki", format: "der" });
  return { id: createHash("sha256").update(spki).digest("base64url"), privateKey, publicKey };
}

/** A JWS in compact form, ES256. @spec RFC 7515 section 3.1 */
export function signToken(claims: object, key: SigningKey): string {
  const input = `${encodeJson({ alg: "ES256", kid: key.id })}.${encodeJson(claims)}`;
  const options = { key: key.privateKey, dsaEncoding: ENCODING } as const;
  return `${input}.${sign("sha256", Buffer.from(input), options).toString("base64url")}`;
}

/** The claims of a token that one of `keys` signed; they are an object, and nothing else is known of them. */
export function verifiedClaims(
  token: string,
  keys: readonly SigningKey[],
): Readonly<Record<string, unknown>> | undefined {
  if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
  const [head, body, signature, extra] = token.split(".");
  if (!head || !body || !signature || extra !== undefined) return undefined;
  const header = decodeJson(head);
  // The algorithm is ours to say, never the token's: anything but ES256 is refused before any key is touched.
  if (header?.["alg"] !== "ES256") return undefined;
  const key = keys.find((one) => one.id === header["kid"]);
  const candidates = key ? [key] : header["kid"] === undefined ? keys : [];
  const bytes = Buffer.from(signature, "base64url");
  const input = Buffer.from(`${head}.${body}`);
  const isSigned = candidates.some(({ publicKey }) =>
    verify("sha256", input, { key: publicKey, dsaEncoding: ENCODING }, bytes),
  );
  return isSigned ? decodeJson(body) : undefined;
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decodeJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
