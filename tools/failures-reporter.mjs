// A node:test reporter that prints failures alone, with their file, and at the end the counts.
export default async function* failures(source) {
  const counts = { pass: 0, fail: 0 };
  for await (const { type, data } of source) {
    if (type === "test:fail" && data.details?.error?.failureType !== "subtestsFailed") {
      const error = data.details.error.cause ?? data.details.error;
      yield `\nFAIL ${data.file ?? ""} › ${data.name}\n${error.stack ?? error}\n`;
      counts.fail++;
    } else if (type === "test:pass") counts.pass++;
    else if (type === "test:stderr") yield data.message;
  }
  yield `\n${counts.pass} passed, ${counts.fail} failed\n`;
}
