/** The dialogs that add and change a webhook. */

import { useState } from "preact/hooks";
import { callOnce } from "../../api/client";
import {
  callerOf,
  callWebhooks,
  EVENTS,
  type Base,
  type CreatedWebhook,
  type Webhook,
  type WebhookEvent,
} from "../../api/webhooks";
import { Button } from "../../components/Button";
import { Code } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { CheckField, TextField } from "../../components/Field";
import { fieldErrors, useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { go } from "../../state/route";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { useWebhookTexts } from "../../texts/webhooks";

interface Values {
  endpoint: string;
  events: WebhookEvent[];
}

export function AddWebhook({ base, onClose }: { base: Base; onClose: () => void }) {
  const t = useWebhookTexts();
  const [added, setAdded] = useState<CreatedWebhook>();
  if (!added) {
    const add = async (body: Values) => {
      const options = { as: callerOf(base), body };
      setAdded(await callOnce<CreatedWebhook>("POST", base, t.maybeAdded, options));
    };
    const initial = { endpoint: "", events: [] };
    return <Form title={t.add} submit={t.add} initial={initial} save={add} onClose={onClose} />;
  }
  const open = () => go(`${base}/${added.id}`);
  return (
    <Dialog title={t.added} onClose={open}>
      <div class="stack">
        <p>{t.addedText}</p>
        <Code label={t.secret} text={added.signing_secret} />
      </div>
      <footer>
        <Button kind="primary" onClick={open}>
          {t.openAdded}
        </Button>
      </footer>
    </Dialog>
  );
}

export function ChangeWebhook({
  base,
  webhook,
  onClose,
  onChanged,
}: {
  base: Base;
  webhook: Webhook;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const { save: submit } = useTexts().common;
  const t = useWebhookTexts();
  const save = async (body: Values) => {
    await callWebhooks(base, "PATCH", `/${webhook.id}`, body);
    toast(t.saved);
    await onChanged();
    onClose();
  };
  return (
    <Form title={t.changeTitle} submit={submit} initial={webhook} save={save} onClose={onClose} />
  );
}

function Form({
  title,
  submit,
  initial,
  save,
  onClose,
}: {
  title: string;
  submit: string;
  initial: Values;
  save: (values: Values) => Promise<void>;
  onClose: () => void;
}) {
  const { common } = useTexts();
  const t = useWebhookTexts();
  const [events, setEvents] = useState<readonly WebhookEvent[]>(initial.events);
  const form = useForm(
    { endpoint: initial.endpoint },
    async ({ endpoint }) => {
      const errors = {
        ...(!endpoint.trim() && { endpoint: common.required }),
        ...(!events.length && { events: t.noEvents }),
      };
      if (Object.keys(errors).length) throw fieldErrors(errors);
      await save({ endpoint, events: [...events] });
    },
    ["events"],
  );
  return (
    <FormDialog title={title} submit={submit} form={form} onClose={onClose} wide>
      <TextField
        label={t.endpoint}
        hint={t.endpointHint}
        type="url"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        placeholder="https://hooks.example.com/mail"
        maxLength={2048}
        required
        {...form.field("endpoint")}
      />
      <Events chosen={events} onChosen={setEvents} error={form.errorAt("events")} />
    </FormDialog>
  );
}

function Events({
  chosen,
  onChosen,
  error,
}: {
  chosen: readonly WebhookEvent[];
  onChosen: (events: readonly WebhookEvent[]) => void;
  error?: string;
}) {
  const t = useWebhookTexts();
  const hasAll = EVENTS.every((event) => chosen.includes(event));
  const choose = (event: WebhookEvent, isChosen: boolean) =>
    onChosen(isChosen ? [...chosen, event] : chosen.filter((one) => one !== event));
  return (
    <fieldset>
      <legend>{t.events}</legend>
      <div class="row">
        <Button small onClick={() => onChosen(hasAll ? [] : EVENTS)}>
          {hasAll ? t.chooseNone : t.chooseAll}
        </Button>
        {error && (
          <p class="error" role="alert" tabIndex={-1}>
            {error}
          </p>
        )}
      </div>
      <div class="events">
        {EVENTS.map((event) => (
          <CheckField
            key={event}
            label={<code>{event}</code>}
            hint={t.kinds[event]}
            checked={chosen.includes(event)}
            onChecked={(isChosen) => choose(event, isChosen)}
          />
        ))}
      </div>
    </fieldset>
  );
}
