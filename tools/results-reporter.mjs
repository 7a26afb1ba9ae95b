// A node:test reporter for programs: one JSON line for each finished test.
export default async function* results(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const error = data.details?.error;
    const reason = error?.cause ?? error;
    const record = {
      title: data.name,
      hasPassed: type === "test:pass",
      kind: error?.failureType ?? "",
      message: reason ? messageOf(reason) : "",
      ms: Math.round(data.details?.duration_ms ?? 0),
    };
    yield `${JSON.stringify(record)}\n`;
  }
}

/** With what it was caused by: `until` tells there what it saw last. */
function messageOf(reason) {
  const text = String(reason.message ?? reason);
  return reason.cause === undefined ? text : `${text} (${messageOf(reason.cause)})`;
}
