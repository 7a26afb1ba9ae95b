import type { AuthorizedInfo, Authorizer } from "../authz/authorizer.ts";
import { forbiddenCall } from "../authz/denial.ts";
import { ANONYMOUS, type ApiRequest, type UserInfo } from "../request.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import { parseServiceAccountUser, serviceAccountGroups } from "./token-claims.ts";

const EXTRA_PREFIX = "impersonate-extra-";

/** Who the headers ask to be. */
interface Asked {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * The user a request acts as: `user` itself without `Impersonate-*` headers.
 *
 * Repeated headers arrive joined by ", ", so a group or extra value cannot hold that.
 * @throws {StatusError} Forbidden: `user` may not; BadRequest: groups, uid or extra without a user.
 * @spec k8s@1.36 apiserver pkg/endpoints/filters/impersonation
 */
export function impersonate(
  user: UserInfo,
  headers: ApiRequest["headers"],
  authorizer: Authorizer,
): UserInfo {
  const asked = readHeaders(headers);
  if (!asked) return user;
  for (const info of permissionsFor(asked)) {
    const decision = authorizer.authorize(user, info);
    if (!decision.isAllowed) throw forbiddenCall(user, info, decision.reason);
  }
  return {
    name: asked.user,
    groups: groupsOf(asked),
    ...(asked.uid ? { uid: asked.uid } : {}),
    ...(Object.keys(asked.extra).length > 0 ? { extra: asked.extra } : {}),
  };
}

function readHeaders(headers: ApiRequest["headers"]): Asked | undefined {
  const user = headers["impersonate-user"] ?? "";
  const uid = headers["impersonate-uid"] ?? "";
  const groups = headers["impersonate-group"]?.split(", ") ?? [];
  const extra = Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => name.startsWith(EXTRA_PREFIX) && value !== undefined)
      .map(([name, value]) => [decode(name.slice(EXTRA_PREFIX.length)), value!.split(", ")]),
  );
  if (user !== "") return { user, uid, groups, extra };
  if (uid === "" && groups.length === 0 && Object.keys(extra).length === 0) return undefined;
  throw badRequest("impersonation requested without impersonating a user");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function permissionsFor(asked: Asked): AuthorizedInfo[] {
  const account = parseServiceAccountUser(asked.user);
  const authentication = "authentication.k8s.io";
  return [
    account
      ? permission({ plural: "serviceaccounts", ...account })
      : permission({ plural: "users", name: asked.user }),
    ...asked.groups.map((name) => permission({ plural: "groups", name })),
    ...Object.entries(asked.extra).flatMap(([subresource, values]) =>
      values.map((name) =>
        permission({ group: authentication, plural: "userextras", subresource, name }),
      ),
    ),
    ...(asked.uid ? [permission({ group: authentication, plural: "uids", name: asked.uid })] : []),
  ];
}

function permission(of: Partial<AuthorizedInfo>): AuthorizedInfo {
  return {
    isResource: true,
    verb: "impersonate",
    path: "",
    group: "",
    version: of.group ? "v1" : "",
    plural: "",
    subresource: "",
    namespace: "",
    name: "",
    ...of,
  };
}

function groupsOf(asked: Asked): readonly string[] {
  const account = parseServiceAccountUser(asked.user);
  const given =
    asked.groups.length === 0 && account ? serviceAccountGroups(account.namespace) : asked.groups;
  if (asked.user === ANONYMOUS.name)
    return given.includes("system:unauthenticated") ? given : [...given, "system:unauthenticated"];
  const isMarked = ["system:authenticated", "system:unauthenticated"].some((group) =>
    given.includes(group),
  );
  return isMarked ? given : [...given, "system:authenticated"];
}
