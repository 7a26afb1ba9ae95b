import type { TokenIssuer } from "../authn/token-request.ts";
import { objectResponse } from "../api-response.ts";
import { parseBody } from "../bodies/decode.ts";
import type { SubresourceHandler } from "./subresource.ts";

/** `serviceaccounts/token`: a new token of the account. @spec pkg/registry/core/serviceaccount/storage/token.go */
export function accountToken(issuer: TokenIssuer): SubresourceHandler {
  return {
    group: "",
    plural: "serviceaccounts",
    subresource: "token",
    methods: ["POST"],
    kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    async handle(_parts, call, request) {
      const bytes = await request.body();
      const body = parseBody(bytes, request.headers["content-type"], "TokenRequest");
      const { namespace, name } = call.info;
      const token = issuer.create({ namespace, name }, body as never, call.isDryRun);
      return objectResponse(201, token, call.warnings);
    },
  };
}
