/** A button that opens a list of rarely used actions (WAI-ARIA, "Disclosure"). */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./Icon";

export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const isInside = event.target instanceof Node && menu.current?.contains(event.target);
      const isEscape = event instanceof KeyboardEvent && event.key === "Escape";
      if (!menu.current?.open || (isInside && !isEscape)) return;
      if (event instanceof KeyboardEvent && !isEscape) return;
      menu.current.open = false;
      if (isEscape) menu.current.querySelector("summary")?.focus();
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details class="menu" ref={menu}>
      <summary class="button plain">
        <Icon name="more" />
        {label}
      </summary>
      <div class="menu-list" onClick={() => menu.current?.removeAttribute("open")}>
        {children}
      </div>
    </details>
  );
}
