import type { SigningKey } from "./token-signature.ts";

/** What relying parties of service-account tokens read. Paths and media types as upstream serves them. */
export interface DiscoveryDocument {
  readonly path: string;
  readonly contentType: string;
  readonly body: object;
}

/**
 * OpenID discovery of the service-account issuer. Both documents change only with the keys.
 *
 * @spec k8s@1.36 pkg/serviceaccount/openidmetadata.go
 */
export function discoveryDocuments(
  issuer: string,
  jwksUri: string,
  keys: readonly SigningKey[],
): readonly DiscoveryDocument[] {
  return [
    {
      path: "/.well-known/openid-configuration",
      contentType: "application/json",
      body: {
        issuer,
        jwks_uri: jwksUri,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      },
    },
    {
      path: "/openid/v1/jwks",
      contentType: "application/jwk-set+json",
      body: { keys: keys.map(publicJwk) },
    },
  ];
}

function publicJwk(key: SigningKey): object {
  const { x, y } = key.publicKey.export({ format: "jwk" });
  return { use: "sig", kty: "EC", kid: key.id, crv: "P-256", alg: "ES256", x, y };
}
