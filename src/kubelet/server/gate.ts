import { TokenReview } from "../../api/authentication/token-review.ts";
import { SubjectAccessReview } from "../../api/authorization/subject-access-review.ts";
import type { Client } from "../../client/client.ts";
import { subresourceOf } from "./route.ts";

/** Who asks, as far as TLS and headers tell. */
export interface Caller {
  /** Of a client certificate that the cluster's CA signed. */
  readonly certificate?: { readonly name: string; readonly groups: readonly string[] };
  readonly token?: string;
}

/** The gate's answer. */
export type Verdict =
  | { readonly isAllowed: true }
  | { readonly isAllowed: false; readonly code: 401 | 403; readonly message: string };

/** Decides who may ask what of a kubelet. */
export type Gate = (caller: Caller, method: string, path: string) => Promise<Verdict>;

interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

const VERBS: ReadonlyMap<string, string> = new Map([
  ["GET", "get"],
  ["HEAD", "get"],
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** The group that may everything: the API server's own certificate is in it. */
const MASTERS = "system:masters";

/**
 * Asks the API server: TokenReview for bearer tokens, SubjectAccessReview for everyone but the API server itself.
 *
 * @spec k8s@1.36 pkg/kubelet/server/auth.go
 */
export function apiServerGate(client: Client, nodeName: string): Gate {
  return async (caller, method, path) => {
    const user = caller.certificate ?? (await reviewToken(client, caller.token));
    if (!user) return { isAllowed: false, code: 401, message: "Unauthorized" };
    if (user.groups.includes(MASTERS)) return { isAllowed: true };
    const verb = VERBS.get(method) ?? "get";
    const subresource = subresourceOf(path);
    const tried = [subresource, "proxy"];
    for (const candidate of new Set(tried))
      if (await reviewAccess(client, user, verb, candidate, nodeName)) return { isAllowed: true };
    const message = `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${[...new Set(tried)].join(" ")}])`;
    return { isAllowed: false, code: 403, message };
  };
}

async function reviewToken(client: Client, token: string | undefined): Promise<User | undefined> {
  if (!token) return undefined;
  const { status } = await client.create(TokenReview, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token },
  });
  if (!status?.authenticated) return undefined;
  const { username = "", uid, groups = [] } = status.user ?? {};
  return { name: username, groups, ...(uid === undefined ? {} : { uid }) };
}

async function reviewAccess(
  client: Client,
  user: User,
  verb: string,
  subresource: string,
  nodeName: string,
): Promise<boolean> {
  const { status } = await client.create(SubjectAccessReview, {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      resourceAttributes: { verb, version: "v1", resource: "nodes", subresource, name: nodeName },
    },
  });
  return status?.allowed ?? false;
}
