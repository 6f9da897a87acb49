/** The end of a form: Save and Discard. It asks before a screen with unsaved changes is left. */

import { useEffect, useState } from "preact/hooks";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import type { useForm } from "../../components/form";
import { ProblemNotice } from "../../components/Notice";
import { guardLeaving } from "../../state/route";
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
      {isChanged && <LeaveGuard />}
    </>
  );
}

function LeaveGuard() {
  const t = useTexts().admin.unsaved;
  const [leave, setLeave] = useState<() => void>();
  useEffect(() => {
    const unguard = guardLeaving((go) => setLeave(() => go));
    // If the person closes or reloads the page, the browser asks instead.
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => {
      unguard();
      removeEventListener("beforeunload", stay);
    };
  }, []);
  if (!leave) return null;
  return (
    <Confirm
      title={t.title}
      yes={t.leave}
      action={async () => leave()}
      onClose={() => setLeave(undefined)}
    >
      <p>{t.text}</p>
    </Confirm>
  );
}
