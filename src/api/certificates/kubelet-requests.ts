/** The signers that every cluster has. @spec k8s@1.36 certificates/v1 types.go */
export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
export const KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
export const KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving";
/** Takes all, promises nothing. What v1beta1 means by naming none. */
export const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";

/** What stands in a PKCS #10 request, as far as anybody judges by it. */
export interface RequestContent {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

/**
 * What keeps a request from being signed by a signer of the cluster; `undefined`: nothing.
 *
 * @spec k8s@1.36 pkg/controller/certificates/signer/signer.go getCSRVerificationFuncForSignerName; pkg/apis/certificates/helpers.go
 */
export function signerProblem(
  signerName: string,
  content: RequestContent,
  usages: readonly string[],
): string | undefined {
  switch (signerName) {
    case KUBELET_CLIENT_SIGNER:
      return kubeletClientProblem(content, usages);
    case KUBELET_SERVING_SIGNER:
      return kubeletServingProblem(content, usages);
    case CLIENT_SIGNER:
      return clientProblem(usages);
    default:
      return undefined;
  }
}

/** The signer that a request of `v1beta1` means which names none. @spec v1beta1/defaults.go DefaultSignerNameFromSpec */
export function meantSigner(content: RequestContent, usages: readonly string[]): string {
  if (kubeletClientProblem(content, usages) === undefined) return KUBELET_CLIENT_SIGNER;
  if (kubeletServingProblem(content, usages) === undefined) return KUBELET_SERVING_SIGNER;
  return LEGACY_SIGNER;
}

function kubeletClientProblem(
  content: RequestContent,
  usages: readonly string[],
): string | undefined {
  const { commonName, dnsNames, emails, ips, uris } = content;
  if (!isOfNodes(content)) return NOT_OF_NODES;
  if (dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (emails.length > 0) return "Email subjectAltNames are not allowed";
  if (ips.length > 0) return "IP subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith(NODE_PREFIX)) return NOT_A_NODE;
  return usagesProblem(usages, "client auth");
}

function kubeletServingProblem(
  content: RequestContent,
  usages: readonly string[],
): string | undefined {
  const { commonName, dnsNames, emails, ips, uris } = content;
  if (!isOfNodes(content)) return NOT_OF_NODES;
  if (dnsNames.length === 0 && ips.length === 0) return "DNS or IP subjectAltName is required";
  if (emails.length > 0) return "Email subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  const problem = usagesProblem(usages, "server auth");
  return problem ?? (commonName.startsWith(NODE_PREFIX) ? undefined : NOT_A_NODE);
}

function clientProblem(usages: readonly string[]): string | undefined {
  const optional = ["digital signature", "key encipherment"];
  const wrong = usages.find((usage) => usage !== "client auth" && !optional.includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  const missing = "missing required usage for client certificate: client auth";
  return usages.includes("client auth") ? undefined : missing;
}

const NODE_PREFIX = "system:node:";
const NOT_OF_NODES = "subject organization is not system:nodes";
const NOT_A_NODE = "subject common name does not begin with system:node:";

function isOfNodes({ organizations }: RequestContent): boolean {
  return organizations.length === 1 && organizations[0] === "system:nodes";
}

/** Exactly these; key encipherment only where the key can (RSA). */
function usagesProblem(usages: readonly string[], purpose: string): string | undefined {
  const needed = new Set(["digital signature", purpose]);
  const given = new Set(usages.filter((usage) => usage !== "key encipherment"));
  const isSame = given.size === needed.size && [...given].every((usage) => needed.has(usage));
  const all = ["digital signature", "key encipherment", purpose].sort();
  return isSame ? undefined : `usages did not match [${all.join(" ")}]`;
}
