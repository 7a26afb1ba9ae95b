// A node:test reporter that prints failures alone, with their file, and at the end the counts. With FAILED_FILES (a path) in the
// environment, the files of the failed tests are written there, one a line.
import { writeFileSync } from "node:fs";

export default async function* failures(source) {
  const counts = { pass: 0, fail: 0 };
  const failed = new Set();
  for await (const { type, data } of source) {
    if (type === "test:fail" && data.details?.error?.failureType !== "subtestsFailed") {
      const error = data.details.error.cause ?? data.details.error;
      yield `\nFAIL ${data.file ?? ""} › ${data.name}\n${error.stack ?? error}\n`;
      counts.fail++;
      if (data.file) failed.add(data.file);
    } else if (type === "test:pass") counts.pass++;
    else if (type === "test:stderr") yield data.message;
  }
  if (process.env.FAILED_FILES) writeFileSync(process.env.FAILED_FILES, [...failed].join("\n"));
  yield `\n${counts.pass} passed, ${counts.fail} failed\n`;
}
