import type { V1TokenRequestSpec } from "../../gen/types.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { objectResponse } from "../api-response.ts";
import type { TokenIssuer } from "../authn/token-request.ts";
import { parseBody } from "../bodies/decode.ts";
import type { AdmissionCall } from "../request.ts";
import type { SubresourceHandler } from "./subresource.ts";

type TokenRequest = KubeObject & { readonly spec?: V1TokenRequestSpec };

/**
 * `serviceaccounts/token`: a token of that account.
 *
 * @spec k8s@1.36 pkg/registry/core/serviceaccount/storage/token.go
 */
export function serviceAccountToken(issuer: TokenIssuer): SubresourceHandler {
  return {
    group: "",
    plural: "serviceaccounts",
    subresource: "token",
    methods: ["POST"],
    kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    async handle(parts, call, request) {
      const body = await request.body();
      const object = parseBody(
        body,
        request.headers["content-type"],
        "TokenRequest",
      ) as TokenRequest;
      const admission: AdmissionCall = {
        info: call.info,
        user: call.user,
        resource: call.resource,
        kind: call.kind,
        isDryRun: call.isDryRun,
        signal: call.signal,
        warn: (text) => call.warn(text),
        operation: "CREATE",
        object,
      };
      for (const plugin of parts.admission)
        if (plugin.handles(admission)) plugin.validate?.(admission);
      const { namespace, name } = call.info;
      const answer = issuer.create({ namespace, name }, object as never, call.isDryRun);
      return objectResponse(201, answer, call.warnings);
    },
  };
}
