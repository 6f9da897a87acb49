/** Placeholders: for an empty list, and while data loads. */

import type { ComponentChildren } from "preact";
import { useTexts } from "../texts";
import { Icon, type IconName } from "./Icon";

export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={28} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Grey lines that stand for the data until it is loaded. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  const t = useTexts();
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{t.common.loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} aria-hidden="true" />
      ))}
    </div>
  );
}
