/** A new credential with its address. Before leaving, it asks whether the credential is stored. */

import type { ComponentChildren } from "preact";
import type { CreatedAddress } from "../api/types";
import { ButtonLink } from "../components/Button";
import { Code, CopyButton } from "../components/Copy";
import { Notice } from "../components/Notice";
import { Card, Page } from "../components/Page";
import { ShownOnce } from "../components/ShownOnce";
import { href } from "../state/route";
import { session } from "../state/session";
import { useStore } from "../state/store";
import { useTexts } from "../texts";
import { curl, valuesFor } from "./password/snippets";

export function NewCredential({
  title,
  issued,
  goOn,
  children,
}: {
  title: string;
  issued: CreatedAddress;
  /** The button or link that leaves the page while the person is signed in. */
  goOn: ComponentChildren;
  children?: ComponentChildren;
}) {
  const t = useTexts();
  const current = useStore(session);
  const isStillIn = current.jwt === issued.jwt;
  const program = curl(valuesFor({ ...current, ...issued }, true));
  return (
    <Page title={title} intro={t.start.createdText} width="narrow">
      {!isStillIn && (
        <Notice kind="warning">
          <p>{t.start.signedOut}</p>
        </Notice>
      )}
      {children}
      <Card>
        <div class="stack">
          <div class="spread">
            <bdi class="big-address">{issued.address}</bdi>
            <CopyButton text={issued.address} label={t.start.address} />
          </div>
          <h2>{t.start.credential}</h2>
          <Code text={issued.jwt} label={t.start.credential} />
          <p class="hint">{t.start.createdCredentialHint}</p>
          {issued.password && (
            <>
              <h2>{t.start.password}</h2>
              <Code text={issued.password} label={t.start.password} />
              <p class="hint">{t.start.createdPasswordHint}</p>
            </>
          )}
          <h2>{t.start.createdProgram}</h2>
          <Code text={program} label={t.password.curl} />
          <p>
            {isStillIn ? (
              goOn
            ) : (
              <ButtonLink href={href("/")} kind="primary">
                {t.start.signIn}
              </ButtonLink>
            )}
          </p>
        </div>
      </Card>
      <ShownOnce title={t.start.storedTitle} yes={t.start.stored}>
        <p>{t.start.storedText}</p>
      </ShownOnce>
    </Page>
  );
}
