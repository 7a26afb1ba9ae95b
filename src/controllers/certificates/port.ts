import type { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import type { RequestContent } from "../../api/certificates/kubelet-requests.ts";
import type { Instant } from "../../base/clock.ts";

/** Who asked for a certificate, as the request says. */
export interface Asker {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What the controllers of requests need besides the API. Texts of requests and certificates are base64 of PEM. */
export interface CertificatePort {
  /** `undefined`: it cannot be read. */
  read(request: string): RequestContent | undefined;
  /** The certificate; it holds for `lifeMs` from now, or as long as its authority. */
  sign(request: string, usages: readonly string[], lifeMs: number): string;
  /** When a certificate ends; `undefined`: it cannot be read. */
  endOf(certificate: string): Instant | undefined;
  /** Whether `asker` may create this subresource of requests. */
  mayCreate(asker: Asker, subresource: string): boolean;
}

/** Who asked. */
export function askerOf({ spec }: CertificateSigningRequest): Asker {
  const { username = "", uid, groups = [], extra } = spec ?? {};
  return { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) };
}
