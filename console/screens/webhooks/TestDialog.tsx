/** A dialog that sends an example of an event, and shows what the endpoint responds. */

import { useState } from "preact/hooks";
import {
  callWebhooks,
  EVENTS,
  type Base,
  type Webhook,
  type WebhookTest,
} from "../../api/webhooks";
import { Code } from "../../components/Copy";
import { SelectField } from "../../components/Field";
import { useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { useTexts } from "../../texts";
import { useWebhookTexts } from "../../texts/webhooks";
import { responseLine } from "./parts";

export function TestDialog({
  base,
  webhook,
  onClose,
}: {
  base: Base;
  webhook: Webhook;
  onClose: () => void;
}) {
  const { close } = useTexts().common;
  const t = useWebhookTexts();
  const [result, setResult] = useState<WebhookTest>();
  const initial: { type: string } = { type: webhook.events[0] ?? "email.sent" };
  const form = useForm(initial, async (body) => {
    setResult(undefined);
    setResult(await callWebhooks<WebhookTest>(base, "POST", `/${webhook.id}/test`, body));
  });
  return (
    <FormDialog title={t.test} submit={t.send} cancel={close} form={form} onClose={onClose} wide>
      <p class="muted">{t.testText}</p>
      <SelectField
        label={t.testEvent}
        options={EVENTS.map((event) => [event, event] as const)}
        {...form.field("type")}
      />
      <div class="stack" role="status">
        {result && <Result result={result} />}
      </div>
    </FormDialog>
  );
}

function Result({ result }: { result: WebhookTest }) {
  const t = useWebhookTexts();
  return (
    <>
      <div class="spread">
        <span class={`badge ${result.success ? "good" : "bad"}`}>
          {result.success ? t.testGood : t.testBad}
        </span>
        <span>{responseLine(result, t)}</span>
      </div>
      {result.response && (
        <>
          <h3>{t.responseBody}</h3>
          <Code label={t.responseBody} text={result.response} />
        </>
      )}
      <h3>{t.sentBody}</h3>
      <Code label={t.sentBody} text={JSON.stringify(result.payload, null, 2)} />
    </>
  );
}
