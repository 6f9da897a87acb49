/** All errors of a form in one place. It takes the focus; each entry leads to its field. */

import { Notice } from "../../components/Notice";
import { useTexts } from "../../texts";

/** `errors` are the label, the name and the error of each field. */
export function ErrorSummary({
  errors,
  form,
}: {
  errors: readonly { name: string; label: string; error: string }[];
  form: HTMLFormElement | null;
}) {
  const t = useTexts().compose;
  return (
    <Notice kind="bad" title={t.notSentTitle}>
      <p>{t.correctAll}</p>
      <ul class="error-summary">
        {errors.map(({ name, label, error }) => (
          <li key={name}>
            <button
              type="button"
              class="link"
              onClick={() => form?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus()}
            >
              {label}: {error}
            </button>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
