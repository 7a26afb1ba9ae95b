import { conform } from "../../api/machinery/conform.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import type { AuthenticationV1TokenRequest } from "../../gen/types.ts";
import { objectResponse } from "../api-response.ts";
import type { TokenIssuer } from "../authn/token-request.ts";
import { parseBody } from "../bodies/decode.ts";
import { validateAdmission } from "../verbs/admit.ts";
import type { SubresourceHandler } from "./subresource.ts";

const KIND = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" } as const;
const EXPECTED = { apiVersion: `${KIND.group}/${KIND.version}`, kind: KIND.kind };

/**
 * `serviceaccounts/token`: a token for an account. Stores nothing.
 *
 * `tokens`: asked for at each call, since it needs the running server's cache.
 *
 * @spec k8s@1.36 pkg/registry/core/serviceaccount/storage/token.go
 */
export function serviceAccountToken(tokens: () => TokenIssuer): SubresourceHandler {
  return {
    group: "",
    plural: "serviceaccounts",
    subresource: "token",
    methods: ["POST"],
    kind: KIND,
    async handle(parts, call, request) {
      const bytes = await request.body();
      const contentType = request.headers["content-type"];
      const body = parseBody(parts.schemas, bytes, contentType, EXPECTED);
      const schema = parts.schemas.root(KIND.group, KIND.version, KIND.kind)!;
      const fitted = conform(parts.schemas, schema, body);
      if (!fitted.isOk) throw badRequest(fitted.message);
      const asked = fitted.value as AuthenticationV1TokenRequest;
      validateAdmission(parts, call, "CREATE", asked, undefined);
      const key = { namespace: call.info.namespace, name: call.info.name };
      return objectResponse(201, tokens().create(key, asked, call.isDryRun), call.warnings);
    },
  };
}
