/** Makes the draft a test mail: to a recipient that simulates an outcome. */

import { Button } from "../../components/Button";
import type { Draft } from "../../state/drafts";
import { useTexts } from "../../texts";

const OUTCOMES = [
  "delivered", "bounced", "complained", "suppressed", "ratelimited", "slow",
] as const;

export function TestMail({
  draft,
  edit,
}: {
  draft: Draft;
  edit: (change: Partial<Draft>) => void;
}) {
  const t = useTexts().compose;
  return (
    <details class="test-mail">
      <summary>{t.testMail}</summary>
      <div class="stack">
        <p class="hint">{t.testMailText}</p>
        <div class="row">
          {OUTCOMES.map((outcome) => (
            <Button
              key={outcome}
              small
              title={`${outcome}@test.invalid`}
              onClick={() =>
                edit({
                  to: `${outcome}@test.invalid`,
                  cc: "",
                  bcc: "",
                  subject: draft.subject || t.testSubject,
                  body: draft.body || t.testBody,
                })
              }
            >
              {t.testOutcomes[outcome]}
            </Button>
          ))}
        </div>
      </div>
    </details>
  );
}
