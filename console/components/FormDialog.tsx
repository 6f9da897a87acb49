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
  cancel,
  form,
  onClose,
  children,
  wide,
}: {
  title: string;
  /** The label of the submit button. */
  submit: string;
  /** The label of the button that closes the dialog. */
  cancel?: string;
  form: Pick<ReturnType<typeof useForm>, "attributes" | "busy" | "problem">;
  onClose: () => void;
  /** The fields. */
  children: ComponentChildren;
  wide?: boolean;
}) {
  const t = useTexts();
  return (
    <Dialog title={title} onClose={onClose} wide={wide}>
      <form {...form.attributes}>
        {children}
        {form.problem && <ProblemNotice problem={form.problem} />}
        <footer>
          <Button onClick={onClose}>{cancel ?? t.common.cancel}</Button>
          <Button type="submit" kind="primary" busy={form.busy}>
            {submit}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
