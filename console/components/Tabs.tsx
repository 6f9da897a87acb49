/** Tabs that the arrow keys, Home and End select (WAI-ARIA Authoring Practices, "Tabs"). */

import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

export function Tabs<Name extends string>({
  label,
  tabs,
  chosen,
  onChosen,
  children,
}: {
  label: string;
  tabs: readonly (readonly [Name, string])[];
  chosen: Name;
  onChosen: (name: Name) => void;
  /** The content of the chosen tab. */
  children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const last = tabs.length - 1;
    const at = tabs.findIndex(([name]) => name === chosen);
    const next = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onChosen(tabs[next]![0]);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(([name, text]) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={name === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => onChosen(name)}
          >
            {text}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </div>
  );
}
