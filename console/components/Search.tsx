/** A search field, which looks by itself when the writer pauses. */

import { useEffect, useState } from "preact/hooks";
import { Button, IconButton } from "./Button";
import { Icon } from "./Icon";

const TYPING_MS = 250;

export function Search({
  label,
  hint,
  clear,
  find,
  maxLength,
  wanted,
  onWanted,
}: {
  label: string;
  /** Stands in the field while it is empty. */
  hint: string;
  /** What the button says that empties it. */
  clear: string;
  /** What the button says that looks; with one, nothing is looked for before. */
  find?: string;
  maxLength: number;
  /** What is looked for. */
  wanted: string;
  onWanted: (words: string) => void;
}) {
  const [text, setText] = useState(wanted);
  const look = () => onWanted(text.trim());
  useEffect(() => setText(wanted), [wanted]);
  useEffect(() => {
    if (find || text.trim() === wanted) return undefined;
    const timer = setTimeout(look, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, wanted]);
  return (
    <form
      role="search"
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        look();
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
        {wanted && <IconButton icon="close" label={clear} onClick={() => onWanted("")} />}
      </div>
      {find && <Button type="submit">{find}</Button>}
    </form>
  );
}
