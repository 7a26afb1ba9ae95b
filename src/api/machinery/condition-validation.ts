import {
  duplicate,
  errorsOfEach,
  invalid,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from "./field-error.ts";
import { regexMessage } from "./names.ts";
import { validateLabelName } from "./object-meta-validation.ts";

/** Characters of a condition's reason and message. @spec meta/v1/validation maxReasonLen, maxMessageLen */
const REASON_CHARACTERS_MAX = 1024;
const MESSAGE_CHARACTERS_MAX = 32 * 1024;

const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const REASON_MATCH = new RegExp(`^${REASON}$`);
const REASON_RULE =
  "a condition reason must start with alphabetic character, optionally followed by a string of " +
  "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";

/** A condition as far as it is checked. */
interface Checked {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: unknown;
  readonly reason?: string;
  readonly message?: string;
}

/** What is wrong with a list of `metav1.Condition`. @spec apimachinery meta/v1/validation ValidateConditions */
export function validateConditionList(
  conditions: readonly Checked[] | undefined,
  field: string,
): readonly FieldError[] {
  const seen = new Set<string>();
  return errorsOfEach(conditions ?? [], (condition, index) => {
    const path = `${field}[${index}]`;
    const { type = "" } = condition;
    const isKnown = seen.has(type);
    seen.add(type);
    return [...(isKnown ? [duplicate(`${path}.type`, type)] : []), ...wrongIn(condition, path)];
  });
}

function wrongIn(condition: Checked, path: string): FieldError[] {
  const { type = "", status = "", observedGeneration = 0, message = "" } = condition;
  const errors: FieldError[] = [...validateLabelName(type, `${path}.type`)];
  if (!["True", "False", "Unknown"].includes(status))
    errors.push(notSupported(`${path}.status`, status, ["False", "True", "Unknown"]));
  if (observedGeneration < 0)
    errors.push(
      invalid(
        `${path}.observedGeneration`,
        observedGeneration,
        "must be greater than or equal to zero",
      ),
    );
  if (!condition.lastTransitionTime)
    errors.push(required(`${path}.lastTransitionTime`, "must be set"));
  errors.push(...wrongReason(condition.reason ?? "", `${path}.reason`));
  if (message.length > MESSAGE_CHARACTERS_MAX)
    errors.push(tooLong(`${path}.message`, MESSAGE_CHARACTERS_MAX));
  return errors;
}

function wrongReason(reason: string, path: string): FieldError[] {
  if (reason === "") return [required(path, "must be set")];
  const examples = ["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"];
  const rule = regexMessage(REASON_RULE, REASON, ...examples);
  return [
    ...(REASON_MATCH.test(reason) ? [] : [invalid(path, reason, rule)]),
    ...(reason.length > REASON_CHARACTERS_MAX ? [tooLong(path, REASON_CHARACTERS_MAX)] : []),
  ];
}
