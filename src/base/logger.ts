import { formatMicroTime, type Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** What a log line may carry besides its message. Never secrets: values are printed as they are. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Writes one line per fact: a constant message, and what varies as fields.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/**
 * A logger that formats `time level message key=value …` and hands each line, without line break, to `sink`.
 *
 * @shape values with blanks, quotes, `=` or control characters are JSON-quoted, so a value cannot forge a line.
 */
export function createLogger(
  clock: Clock,
  sink: (line: string) => void,
  minimum: LogLevel = "info",
  fields: LogFields = {},
): Logger {
  const write = (level: LogLevel, message: string, extra: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(minimum)) return;
    const tail = Object.entries({ ...fields, ...extra })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${quoted(String(value))}`)
      .join("");
    sink(`${formatMicroTime(clock.now())} ${level} ${message}${tail}`);
  };
  return {
    debug: (message, extra) => write("debug", message, extra),
    info: (message, extra) => write("info", message, extra),
    warning: (message, extra) => write("warning", message, extra),
    error: (message, extra) => write("error", message, extra),
    with: (extra) => createLogger(clock, sink, minimum, { ...fields, ...extra }),
  };
}

/** A logger that drops everything. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warning: () => {},
  error: () => {},
  with: () => silentLogger,
};

function quoted(value: string): string {
  return value !== "" && /^[^\s"=\p{Cc}]*$/u.test(value) ? value : JSON.stringify(value);
}
