/** The end of a form: Save and Discard. It asks before a screen with unsaved changes is left. */

import { Button } from "../../components/Button";
import type { useForm } from "../../components/form";
import { LeaveGuard } from "../../components/LeaveGuard";
import { ProblemNotice } from "../../components/Notice";
import { useTexts } from "../../texts";

export function SaveBar({
  form,
  isChanged,
  onDiscard,
}: {
  form: Pick<ReturnType<typeof useForm>, "busy" | "problem">;
  isChanged: boolean;
  onDiscard: () => void;
}) {
  const { admin, common } = useTexts();
  const t = admin.lists;
  const ask = admin.unsaved;
  return (
    <>
      {form.problem && <ProblemNotice problem={form.problem} />}
      <div class="save-bar spread">
        <p class="muted" role="status">
          {isChanged ? t.unsaved : t.unchanged}
        </p>
        <div class="row">
          {isChanged && (
            <Button kind="quiet" onClick={onDiscard}>
              {t.discard}
            </Button>
          )}
          <Button type="submit" kind="primary" busy={form.busy} disabled={!isChanged}>
            {common.save}
          </Button>
        </div>
      </div>
      {isChanged && (
        <LeaveGuard title={ask.title} yes={ask.leave}>
          <p>{ask.text}</p>
        </LeaveGuard>
      )}
    </>
  );
}
