import { badRequest } from "../../api/machinery/status-errors.ts";
import type { V1Eviction } from "../../gen/types.ts";
import { objectResponse } from "../api-response.ts";
import { parseBody } from "../bodies/decode.ts";
import { deleteObject } from "../verbs/delete.ts";
import { deletionOfObject } from "../endpoints/deletion-options.ts";
import { SUCCESS } from "./pod-binding.ts";
import type { SubresourceHandler } from "./subresource.ts";

/**
 * `pods/eviction`: deletes a Pod, as a request that may be refused for the sake of others.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go
 */
export const podEviction: SubresourceHandler = {
  group: "",
  plural: "pods",
  subresource: "eviction",
  methods: ["POST"],
  kind: { group: "policy", version: "v1", kind: "Eviction" },
  async handle(parts, call, request) {
    const bytes = await request.body();
    const contentType = request.headers["content-type"];
    const expected = { apiVersion: "policy/v1", kind: "Eviction" };
    const eviction = parseBody(parts.schemas, bytes, contentType, expected) as V1Eviction;
    const { name } = call.info;
    const asked = eviction.metadata?.name ?? name;
    if (asked !== name)
      throw badRequest(`name in URL does not match name in Eviction object: ${asked}`);
    const deletion = deletionOfObject(eviction.deleteOptions ?? {});
    const isDryRun = deletion.isDryRun || call.isDryRun;
    const { options } = deletion;
    await deleteObject(parts, call.withFlags({ ...call.flags, isDryRun }), options);
    return objectResponse(201, SUCCESS, call.warnings);
  },
};
