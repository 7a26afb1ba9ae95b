import type { ApiCall } from "../api-call.ts";
import { objectResponse, type ApiResponse } from "../api-response.ts";
import type { ReviewHandler } from "../authz/reviews.ts";
import { decodeObject } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import { validateAdmission } from "../verbs/admit.ts";

/** Answers a POST that asks a question: decoded and admitted as any other, and never stored. */
export async function reviewEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  handler: ReviewHandler,
): Promise<ApiResponse> {
  const bytes = await request.body();
  const object = decodeObject(parts, call, call.served, bytes, request.headers["content-type"]);
  validateAdmission(parts, call, "CREATE", object, undefined);
  return objectResponse(201, handler.review(call, object), call.warnings);
}
