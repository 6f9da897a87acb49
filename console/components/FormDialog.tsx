/** A dialog that consists of one form. */

import type { ComponentChildren } from "preact";
import { useTexts } from "../texts";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import type { useForm } from "./form";
import { ProblemNotice } from "./Notice";

export function FormDialog({
  title,
  submit,
  form,
  onClose,
  children,
}: {
  title: string;
  /** The label of the submit button. */
  submit: string;
  form: Pick<ReturnType<typeof useForm>, "attributes" | "busy" | "problem">;
  onClose: () => void;
  /** The fields. */
  children: ComponentChildren;
}) {
  const t = useTexts();
  return (
    <Dialog title={title} onClose={onClose}>
      <form {...form.attributes}>
        {children}
        {form.problem && <ProblemNotice problem={form.problem} />}
        <footer>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" kind="primary" busy={form.busy}>
            {submit}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
