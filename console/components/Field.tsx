/** Form fields: a label, a control, a hint and an error, linked for screen readers. */

import type { ComponentChildren, JSX, Ref } from "preact";
import { useId } from "preact/hooks";

interface Common {
  label: string;
  hint?: ComponentChildren;
  /** The error message. */
  error?: string;
  /** Shown beside the label, for example a button. */
  aside?: ComponentChildren;
}

interface Hideable {
  /** Show the label only to screen readers. */
  hideLabel?: boolean;
}

interface Bound {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

/** A field of any kind: `children` renders the control with the given attributes. */
export function BoundField({
  label,
  hint,
  error,
  aside,
  hideLabel,
  children,
}: Common & Hideable & { children: (bound: Bound) => ComponentChildren }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={error ? "field wrong" : "field"}>
      <div class={hideLabel ? "label-row hidden" : "label-row"}>
        <label for={id}>{label}</label>
        {aside}
      </div>
      {children({
        id,
        "aria-describedby": described || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

type InputProps = Common &
  Omit<JSX.IntrinsicElements["input"], "label" | "onInput"> & {
    value: string;
    onValue: (value: string) => void;
  };

export function TextField({ label, hint, error, aside, onValue, ...rest }: InputProps) {
  return (
    <BoundField {...{ label, hint, error, aside }}>
      {(bound) => (
        <input
          {...({ type: "text", ...rest } as JSX.IntrinsicElements["input"])}
          {...bound}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </BoundField>
  );
}

/** A date and a time in the time zone of the browser. */
export function TimeField(props: InputProps) {
  return <TextField {...props} type="datetime-local" max="9999-12-31T23:59" />;
}

type AreaProps = Common &
  Hideable &
  Omit<JSX.IntrinsicElements["textarea"], "label" | "onInput" | "ref"> & {
    value: string;
    onValue: (value: string) => void;
    areaRef?: Ref<HTMLTextAreaElement>;
  };

export function AreaField({
  label, hint, error, aside, hideLabel, onValue, areaRef, ...rest
}: AreaProps) {
  return (
    <BoundField {...{ label, hint, error, aside, hideLabel }}>
      {(bound) => (
        <textarea
          {...rest}
          {...bound}
          ref={areaRef}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </BoundField>
  );
}

export function SelectField({
  label, hint, error, aside, value, options, onValue,
}: Common & {
  value: string;
  /** Pairs of value and label. */
  options: readonly (readonly [string, string])[];
  onValue: (value: string) => void;
}) {
  return (
    <BoundField {...{ label, hint, error, aside }}>
      {(bound) => (
        <select
          {...bound}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </BoundField>
  );
}

export function CheckField({
  label,
  hint,
  checked,
  onChecked,
}: {
  label: ComponentChildren;
  hint?: string;
  checked: boolean;
  onChecked: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        checked={checked}
        aria-describedby={hint && `${id}-hint`}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Focus the first field with an error, after the next render. */
export function focusFirstError(form: HTMLElement | null): void {
  requestAnimationFrame(() => {
    form?.querySelector<HTMLElement>("[aria-invalid], [role=alert]")?.focus();
  });
}
