import type { Checker } from "./checker.ts";

/** No component finds anything impossible: faults are met with retries, not with errors. */
export const complaints: Checker = {
  name: "complaints",
  check: ({ errors }) => errors,
};
