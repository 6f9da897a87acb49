/** What an administrator can do with a message. */

import { useState } from "preact/hooks";
import { callAsAdmin } from "../../api/admin";
import type { SendboxMessage } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { go, href } from "../../state/route";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";

export function AdminActions({ message: { id, address } }: { message: SendboxMessage }) {
  const { admin, message } = useTexts();
  const t = admin.sent;
  const [isAsked, setIsAsked] = useState(false);
  return (
    <div class="row">
      <ButtonLink icon="sent" href={href("/admin/sent", { address })}>
        {t.ofSender}
      </ButtonLink>
      <Button icon="trash" onClick={() => setIsAsked(true)}>
        {t.delete}
      </Button>
      {isAsked && (
        <Confirm
          title={t.deleteTitle}
          yes={t.delete}
          onClose={() => setIsAsked(false)}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/sendbox/${encodeURIComponent(id)}`);
            toast(message.deleted);
            go("/admin/sent");
          }}
        >
          <p>{t.deleteText}</p>
        </Confirm>
      )}
    </div>
  );
}
