import { listAt, recordAt, wrong, type Part } from "./configuration-part.ts";
import type { ExtenderSettings, Pem } from "./extender.ts";

/** One entry of `extenders`. @throws {ConfigurationError} */
export function extenderOf(extender: Part, path: string): ExtenderSettings {
  const text = (name: string): string => {
    const value = extender[name] ?? "";
    if (typeof value !== "string") throw wrong(`${path}.${name}`, value, "must be text");
    return value;
  };
  const urlPrefix = text("urlPrefix");
  if (!/^https?:\/\//.test(urlPrefix))
    throw wrong(
      `${path}.urlPrefix`,
      urlPrefix,
      "must be an address, such as http://127.0.0.1:8888",
    );
  const { weight = 1 } = extender;
  if (text("prioritizeVerb") !== "" && !(Number.isInteger(weight) && (weight as number) > 0))
    throw wrong(`${path}.weight`, weight, "must have a positive weight applied to it");
  const managed = listAt(extender["managedResources"], `${path}.managedResources`).map((one, i) => {
    const { name, ignoredByScheduler } = recordAt(one, `${path}.managedResources[${i}]`);
    if (typeof name !== "string" || !name.includes("/"))
      throw wrong(`${path}.managedResources[${i}].name`, name, "must be an extended resource");
    return { name, ignoredByScheduler: ignoredByScheduler === true };
  });
  return {
    urlPrefix: urlPrefix.replace(/\/$/, ""),
    filterVerb: text("filterVerb"),
    prioritizeVerb: text("prioritizeVerb"),
    preemptVerb: text("preemptVerb"),
    bindVerb: text("bindVerb"),
    weight: weight as number,
    timeoutMs: durationAt(extender["httpTimeout"], `${path}.httpTimeout`),
    isNodeCacheCapable: extender["nodeCacheCapable"] === true,
    isIgnorable: extender["ignorable"] === true,
    managedResources: managed,
    ...tlsOf(extender, path),
  };
}

/** @spec pkg/scheduler/extender.go makeTransport: with enableHTTPS and no authority, whoever answers is believed */
function tlsOf(extender: Part, path: string): Pick<ExtenderSettings, "tls"> {
  const at = `${path}.tlsConfig`;
  const given = extender["tlsConfig"];
  if (given === undefined && extender["enableHTTPS"] !== true) return {};
  const config = recordAt(given ?? {}, at);
  const text = (name: string): string => {
    const value = config[name] ?? "";
    if (typeof value !== "string") throw wrong(`${at}.${name}`, value, "must be text");
    return value;
  };
  const pem = (name: string): Pem | undefined => {
    const data = text(`${name}Data`);
    if (data !== "") return { text: Buffer.from(data, "base64").toString() };
    const file = text(`${name}File`);
    return file === "" ? undefined : { file };
  };
  const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
  if (config["insecure"] === true && ca)
    throw wrong(
      `${at}.insecure`,
      true,
      "specifying a root certificates file with the insecure flag is not allowed",
    );
  if (!cert !== !key)
    throw wrong(at, cert ? "a certificate" : "a key", "certificate and key belong together");
  const isInsecure = config["insecure"] === true || (extender["enableHTTPS"] === true && !ca);
  return { tls: { isInsecure, serverName: text("serverName"), ca, cert, key } };
}

/** 5 s without one. @spec pkg/scheduler/extender.go DefaultExtenderTimeout */
const EXTENDER_MS = 5_000;

function durationAt(value: unknown, path: string): number {
  if (value === undefined) return EXTENDER_MS;
  const found = /^(?:(\d+)m)?(?:(\d+(?:\.\d+)?)(ms|s))?$/.exec(String(value));
  const unit = found?.[3] === "ms" ? 1 : 1000;
  const ms = Number(found?.[1] ?? 0) * 60_000 + Number(found?.[2] ?? 0) * unit;
  if (!found || ms <= 0) throw wrong(path, value, "must be a duration, such as 5s or 200ms");
  return ms;
}
