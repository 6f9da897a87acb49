/** Buttons, and links that look like them. */

import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./Icon";

interface Look {
  kind?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  small?: boolean;
  children?: ComponentChildren;
}

interface ButtonProps extends Look, Omit<JSX.IntrinsicElements["button"], "icon"> {
  /** While true, the button is disabled and marked as busy. */
  busy?: boolean;
}

export function Button({ kind, icon, small, busy, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={look({ kind, small })}
      aria-busy={busy || undefined}
      disabled={busy || rest.disabled}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button with only an icon; `label` is its accessible name. */
export function IconButton({
  icon,
  label,
  ...rest
}: Omit<JSX.IntrinsicElements["button"], "icon" | "label"> & { icon: IconName; label: string }) {
  return (
    <button type="button" {...rest} class="icon-button" aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

export function ButtonLink({ kind, icon, small, children, href }: Look & { href: string }) {
  return (
    <a href={href} class={look({ kind, small })}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

function look({ kind = "plain", small }: Look): string {
  return `button ${kind}${small ? " small" : ""}`;
}
