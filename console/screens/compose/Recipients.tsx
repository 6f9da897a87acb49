/**
 * A field for recipients. Each finished mailbox becomes a chip that can be removed.
 *
 * A separator, Enter, or leaving the field finishes a mailbox. Backspace or the left arrow key at the
 * beginning of the text goes to the last chip, the arrow keys go on from there, and Backspace or
 * Delete removes the chip. Enter puts the chip back into the text.
 */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { BoundField } from "../../components/Field";
import { Icon } from "../../components/Icon";
import { useTexts } from "../../texts";
import { addressError } from "./check";
import { mailboxes } from "./outgoing";

const SEPARATOR_AT_END = /[,;，、；\n]\s*$/;

interface Content {
  chips: readonly string[];
  typed: string;
}

function joined({ chips, typed }: Content): string {
  return [...chips, typed].filter(Boolean).join(", ");
}

/** `text` with its finished mailboxes as chips. A mailbox in open quotes is not finished. */
function read(text: string): Content {
  const found = mailboxes(text);
  if ((text.match(/"/g)?.length ?? 0) % 2) return { chips: [], typed: text };
  if (SEPARATOR_AT_END.test(text)) return { chips: found, typed: "" };
  return found.length > 1
    ? { chips: found.slice(0, -1), typed: found.at(-1)! }
    : { chips: [], typed: text };
}

export function RecipientsField({
  label,
  name,
  value,
  onValue,
  hint,
  error,
  aside,
}: {
  label: string;
  name: string;
  /** The mailboxes, separated by commas. */
  value: string;
  onValue: (value: string) => void;
  hint?: ComponentChildren;
  error?: string;
  aside?: ComponentChildren;
}) {
  const t = useTexts().compose;
  const box = useRef<HTMLDivElement>(null);
  const [content, setContent] = useState<Content>({ chips: [], typed: "" });
  // The value may also change elsewhere, for example in another tab.
  const { chips, typed } =
    joined(content) === value ? content : { chips: mailboxes(value), typed: "" };
  const change = (next: Content) => {
    setContent(next);
    onValue(joined(next));
  };
  const commit = () => change({ chips: [...chips, ...mailboxes(typed)], typed: "" });
  const input = () => box.current?.querySelector("input");
  /** Focus a chip, after the next render; the text if there is no such chip. */
  const focusChip = (index: number) =>
    requestAnimationFrame(() => {
      const buttons = box.current?.querySelectorAll("button") ?? [];
      (buttons[index] ?? input())?.focus();
    });
  const remove = (index: number) => {
    change({ chips: chips.filter((_, at) => at !== index), typed });
    focusChip(index);
  };
  const onText = (event: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
    const { selectionStart, selectionEnd } = event.currentTarget;
    const isAtStart = selectionStart === 0 && selectionEnd === 0;
    if (event.key === "Enter" && !event.isComposing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      commit();
    } else if (isAtStart && chips.length && /^(Backspace|ArrowLeft)$/.test(event.key)) {
      event.preventDefault();
      focusChip(chips.length - 1);
    }
  };
  const onChip = (event: KeyboardEvent, index: number) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) focusChip(Math.max(index + step, 0));
    else if (event.key === "Home") focusChip(0);
    else if (event.key === "End") input()?.focus();
    else if (event.key === "Backspace" || event.key === "Delete") remove(index);
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      const others = chips.filter((_, at) => at !== index);
      change({ chips: [...others, ...mailboxes(typed)], typed: chips[index]! });
      input()?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    <BoundField {...{ label, hint, error, aside }}>
      {(bound) => (
        <div class="chips" ref={box} onClick={(event) => {
          if (event.target === event.currentTarget) input()?.focus();
        }}>
          {chips.length > 0 && (
            <ul aria-label={t.recipientsOf(label)}>
              {chips.map((chip, index) => (
                <li key={`${index} ${chip}`} class={addressError(chip) ? "chip wrong-chip" : "chip"}>
                  <bdi>{chip}</bdi>
                  <button
                    type="button"
                    tabIndex={-1}
                    aria-label={t.remove(chip)}
                    title={t.remove(chip)}
                    onClick={() => remove(index)}
                    onKeyDown={(event) => onChip(event, index)}
                  >
                    <Icon name="close" size={14} />
                  </button>
                </li>
              ))}
            </ul>
          )}
          <input
            {...bound}
            type="text"
            name={name}
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onKeyDown={onText}
            onPaste={(event) => {
              const pasted = event.clipboardData?.getData("text") ?? "";
              if (mailboxes(pasted).length < 2) return;
              event.preventDefault();
              change({ chips: [...chips, ...mailboxes(typed), ...mailboxes(pasted)], typed: "" });
            }}
            onInput={(event) => {
              const next = read(event.currentTarget.value);
              change({ chips: [...chips, ...next.chips], typed: next.typed });
            }}
            onBlur={() => {
              if (typed) commit();
            }}
          />
        </div>
      )}
    </BoundField>
  );
}
