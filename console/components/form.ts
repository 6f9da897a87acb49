/** Forms that call the API and show errors at their fields. */

import { useRef, useState } from "preact/hooks";
import { Problem } from "../api/client";
import { useAction } from "./action";
import { texts } from "../texts";
import { focusFirstError } from "./Field";

/** The minimum number of characters in the password of an address. */
export const SHORTEST_PASSWORD = 10;

/**
 * @param initial the initial values of the text fields, by their JSON paths in the request.
 * @param action called on submit with the values; throws a `Problem` on failure.
 * @param others the JSON paths of other fields.
 */
export function useForm<Name extends string>(
  initial: Record<Name, string>,
  action: (values: Record<Name, string>) => Promise<void>,
  others: readonly string[] = [],
) {
  const [values, setValues] = useState(initial);
  const fields = [...Object.keys(initial), ...others];
  const form = useRef<HTMLFormElement>(null);
  const { busy, problem, run } = useAction();
  const [failures, setFailures] = useState(0);
  const submit = async (event: Event) => {
    event.preventDefault();
    const checked = () => {
      throwIfIncomplete(form.current!);
      return action(values);
    };
    if (await run(checked)) return;
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
    /** The number of failed attempts. After each one, a new human verification is needed. */
    failures,
    errorAt,
    values,
    reset: () => setValues(initial),
    /** The properties that bind a field to its value and error. */
    field: (name: Name) => ({
      name,
      value: values[name],
      onValue: (value: string) => setValues((old) => ({ ...old, [name]: value })),
      error: errorAt(name),
    }),
    /** The problem; undefined if there is none, or if the fields show all of it. */
    problem: isAtFields ? undefined : problem,
    attributes: {
      ref: form,
      class: "stack",
      noValidate: true, // the browser would show messages in its own language
      onSubmit: (event: Event) => void submit(event),
    },
  };
}

/**
 * Throw a `Problem` if a named field of `form` has a value that the browser can't read, such as a
 * date without a time. The browser reports such a value as empty.
 */
function throwIfIncomplete(form: HTMLFormElement): void {
  const incomplete = [...form.querySelectorAll<HTMLInputElement>("input[name]")].filter(
    ({ validity }) => validity.badInput,
  );
  if (!incomplete.length) return;
  const { common } = texts();
  throw fieldErrors(Object.fromEntries(incomplete.map(({ name }) => [name, common.incomplete])));
}

/** An error that the console finds itself. `errors` maps JSON paths of fields to messages. */
export function fieldErrors(errors: Record<string, string>): Problem {
  const all = Object.entries(errors).map(([field, message]) => ({ field, message }));
  return new Problem(0, "wrong_here", all[0]?.message ?? "", all);
}

/** The entered whole number, or undefined if the text is not one. */
export function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text.trim()) && Number.isSafeInteger(number) ? number : undefined;
}
