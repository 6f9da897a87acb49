/** Forms that call the API: what is wrong is shown at its field. */

import { useRef, useState } from "preact/hooks";
import { Problem } from "../api/client";
import { useAction } from "./action";
import { focusFirstError } from "./Field";

/** The fewest characters of an address's password. */
export const SHORTEST_PASSWORD = 10;

/**
 * @param fields the JSON paths that the form has fields for.
 * @param order what submitting does; it throws a `Problem`.
 */
export function useForm(fields: readonly string[], order: () => Promise<void>) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, problem, run } = useAction();
  const [failures, setFailures] = useState(0);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await run(order)) return;
    setFailures((old) => old + 1);
    focusFirstError(form.current);
  };
  const errorAt = (field: string) =>
    problem?.errors.find((error) => error.field === field)?.message;
  const isAtFields =
    problem !== undefined &&
    problem.errors.length > 0 &&
    problem.errors.every(({ field }) => fields.includes(field));
  return {
    busy,
    /** How often it was refused; a human verification counts only once. */
    failures,
    errorAt,
    /** What no field shows. */
    problem: isAtFields ? undefined : problem,
    attributes: {
      ref: form,
      class: "stack",
      noValidate: true, // the browser's own words would be in the browser's language
      onSubmit: (event: Event) => void submit(event),
    },
  };
}

/** A refusal before anything is sent: by JSON path, what is wrong. */
export function wrong(errors: Record<string, string>): Problem {
  const faults = Object.entries(errors).map(([field, message]) => ({ field, message }));
  return new Problem(0, "wrong_here", faults[0]?.message ?? "", faults);
}

/** The whole number that a person typed, or nothing where it is none. */
export function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text.trim()) && Number.isSafeInteger(number) ? number : undefined;
}
