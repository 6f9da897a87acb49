/** The layout of every screen. Its title takes the focus when the screen changes. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { site } from "../state/site";
import { useStore } from "../state/store";

let isFirst = true;

export function Page({
  title,
  aside,
  intro,
  children,
  width,
}: {
  title: string;
  /** The actions of the screen, to the right of the title. */
  aside?: ComponentChildren;
  intro?: ComponentChildren;
  children: ComponentChildren;
  /** `narrow` for a form, `wide` for a list. */
  width?: "narrow" | "wide";
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const name = useStore(site)?.title;
  useEffect(() => {
    document.title = name ? `${title} · ${name}` : title;
  }, [title, name]);
  useEffect(() => {
    // On the first screen, the browser sets the focus. On later screens, focusing the title makes
    // screen readers announce it.
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, []);
  return (
    <div class={width ? `page ${width}` : "page"}>
      <div class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {intro && <p class="intro">{intro}</p>}
        </div>
        {aside && <div class="row">{aside}</div>}
      </div>
      {children}
    </div>
  );
}

/** A part of a screen with a border and a title. */
export function Card({
  title,
  aside,
  children,
}: {
  title?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="card">
      {title && (
        <div class="spread">
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}
