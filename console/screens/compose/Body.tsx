/** The body of a draft: plain text, or HTML with a preview. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { AreaField } from "../../components/Field";
import { Preview } from "../../components/Preview";
import { Tabs } from "../../components/Tabs";
import type { Draft, DraftFile } from "../../state/drafts";
import { useTexts } from "../../texts";
import { base64 } from "./outgoing";

const PAUSE_MS = 300;

export function Body({
  draft,
  error,
  onBody,
  tools,
  area,
}: {
  draft: Draft;
  error?: string;
  onBody: (body: string) => void;
  /** The buttons above the text. */
  tools: ComponentChildren;
  area: RefObject<HTMLTextAreaElement | null>;
}) {
  const t = useTexts();
  const [view, setView] = useState<"write" | "preview">("write");
  // Show an error in the editor; the preview can be opened again.
  useLayoutEffect(() => {
    if (error) setView("write");
  }, [error]);
  const writing = (
    <AreaField
      label={t.compose.body}
      hideLabel
      name="body"
      class={draft.isHtml ? "body source" : "body"}
      dir="auto"
      spellcheck={!draft.isHtml}
      placeholder={draft.isHtml ? "<p>…</p>" : undefined}
      areaRef={area}
      value={draft.body}
      onValue={onBody}
      error={error}
    />
  );
  if (!draft.isHtml) {
    return (
      <div class="stack body-part">
        <div class="row">{tools}</div>
        {writing}
      </div>
    );
  }
  return (
    <div class="stack body-part">
      <Tabs
        label={t.compose.body}
        tabs={[
          ["write", t.compose.write],
          ["preview", t.compose.preview],
        ]}
        chosen={view}
        onChosen={setView}
      >
        {view === "write" ? (
          <div class="stack">
            <div class="row">{tools}</div>
            {writing}
          </div>
        ) : draft.body.trim() ? (
          <Live html={draft.body} files={draft.files} />
        ) : (
          <p class="muted">{t.compose.previewEmpty}</p>
        )}
      </Tabs>
    </div>
  );
}

/** The preview, updated when typing pauses. */
function Live({ html, files }: { html: string; files: DraftFile[] }) {
  const t = useTexts();
  const [isPhone, setIsPhone] = useState(false);
  const [shown, setShown] = useState(html);
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return undefined;
    }
    const timer = setTimeout(() => setShown(html), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [html]);
  const images = useMemo(
    () =>
      new Map(
        files
          .filter((file) => file.contentId && file.type.startsWith("image/"))
          .map((file) => [file.contentId!, `data:${file.type};base64,${base64(file.bytes)}`]),
      ),
    [files],
  );
  return (
    <div class={isPhone ? "stack phone" : "stack"}>
      <fieldset class="segments">
        <legend class="hidden">{t.compose.previewWidth}</legend>
        {[false, true].map((phone) => (
          <label key={String(phone)}>
            <input
              type="radio"
              name="preview-width"
              checked={isPhone === phone}
              onChange={() => setIsPhone(phone)}
            />
            <span>{phone ? t.compose.phone : t.compose.desktop}</span>
          </label>
        ))}
      </fieldset>
      <Preview html={shown} images={images} />
    </div>
  );
}
