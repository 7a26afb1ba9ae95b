import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A key and a request for a certificate of it, both PEM, as openssl makes them. `subject`: `/O=team/CN=jane`. */
export function signingRequest(
  subject: string,
  names: readonly string[] = [],
): { readonly key: string; readonly request: string } {
  const folder = mkdtempSync(join(tmpdir(), "request-"));
  try {
    const [key, request] = [join(folder, "key"), join(folder, "request")];
    const alternative = names.length > 0 ? ["-addext", `subjectAltName=${names.join(",")}`] : [];
    execFileSync("openssl", [
      ...["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-keyout", key, "-out", request, "-subj", subject, ...alternative],
    ]);
    return { key: readFileSync(key, "utf8"), request: readFileSync(request, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
