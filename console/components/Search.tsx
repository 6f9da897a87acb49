/** A search field that starts the search when typing pauses. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "./Button";
import { Icon } from "./Icon";

const TYPING_MS = 250;

export function Search({
  label,
  hint,
  clear,
  find,
  maxLength,
  value,
  onSearch,
}: {
  label: string;
  /** The placeholder. */
  hint: string;
  /** The label of the button that clears the field. */
  clear: string;
  /** The label of a submit button; with it, the search starts only on submit. */
  find?: string;
  maxLength: number;
  /** The current search. */
  value: string;
  onSearch: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  // A search that this field started does not change its text, because the person may have typed
  // more since then.
  const submitted = useRef(value);
  useEffect(() => {
    if (value !== submitted.current) setText(value);
    submitted.current = value;
  }, [value]);
  const search = () => {
    submitted.current = text.trim();
    onSearch(submitted.current);
  };
  const reset = () => {
    setText("");
    onSearch("");
  };
  useEffect(() => {
    if (find || text.trim() === value) return undefined;
    const timer = setTimeout(search, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <form
      role="search"
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        search();
      }}
    >
      <div class="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={label}
          placeholder={hint}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={maxLength}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {text && <IconButton icon="close" label={clear} onClick={reset} />}
      </div>
      {find && <Button type="submit">{find}</Button>}
    </form>
  );
}
