/** Saves the source of a message as a file. */

import type { SendboxMessage, SentMail } from "../../api/types";
import { Button } from "../../components/Button";
import { download } from "../../components/download";
import { useTexts } from "../../texts";
import { source } from "./source";

export function EmlButton({ message, mail }: { message: SendboxMessage; mail: SentMail }) {
  const t = useTexts().message;
  const hasContent = message.text !== null || message.html !== null;
  // A source with a part of the text would look like the whole mail.
  if (!hasContent || message.content_truncated) return null;
  const save = () =>
    download(new Blob([source(message, mail)], { type: "message/rfc822" }), `${message.id}.eml`);
  return (
    <Button
      small
      icon="download"
      title={message.attachments.length ? t.emlWithout : undefined}
      onClick={save}
    >
      {t.eml}
    </Button>
  );
}
