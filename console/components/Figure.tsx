/** A number in large type. */

import { number } from "../texts/formats";
import { useTexts } from "../texts";

export function Figure({
  name,
  value,
  text,
}: {
  name: string;
  /** Null means unlimited, undefined means not loaded. */
  value: number | null | undefined;
  text: string;
}) {
  const t = useTexts();
  const shown = value === undefined ? "–" : value === null ? t.common.unlimited : number(value);
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd>
        <strong>{shown}</strong>
        <span class="hint">{value === null ? t.common.noLimit : text}</span>
      </dd>
    </div>
  );
}
