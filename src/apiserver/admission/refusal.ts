import type { StatusError } from "../../api/machinery/status-error.ts";
import { forbidden } from "../../api/machinery/status-errors.ts";
import type { AdmissionCall } from "../request.ts";

/** 403 about the object of `call`, named as well as it can be. @spec k8s@1.36 apiserver pkg/admission errors.go */
export function refuse(call: AdmissionCall, why: string): StatusError {
  const metadata = call.object?.metadata;
  const name = call.info.name || metadata?.name || metadata?.generateName || "Unknown";
  return forbidden(call.info, name, why);
}

/** True for a call on `plural` of `group` itself, or on its `subresource`. */
export function isAbout(
  call: AdmissionCall,
  plural: string,
  subresource = "",
  group = "",
): boolean {
  const { info } = call;
  return info.plural === plural && info.group === group && info.subresource === subresource;
}
