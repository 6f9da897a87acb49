/** The attachments of a draft: choose or drop, read with progress, remove. */

import { useState } from "preact/hooks";
import { IconButton } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { newKey, type Draft, type DraftFile } from "../../state/drafts";
import { toast } from "../../state/toasts";
import { size } from "../../texts/formats";
import { texts, useTexts } from "../../texts";
import { isUsed } from "./outgoing";

/** The maximum size of all files together: base64 adds a third, and a message may have 5 MiB. */
export const MOST_BYTES = 3.6 * 1024 * 1024;

export function totalSize(draft: Draft): number {
  return draft.files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
}

export interface Reading {
  id: string;
  name: string;
  /** The progress, from 0 to 1. */
  part: number;
}

/** The files being read, and a function that adds more. */
export function useReading(onRead: (file: DraftFile) => void) {
  const [reading, setReading] = useState<Reading[]>([]);
  const add = async (files: Iterable<File>, inline = false) => {
    for (const file of files) {
      const id = newKey();
      const show = (part: number) =>
        setReading((old) => [
          ...old.filter((one) => one.id !== id),
          { id, name: file.name, part },
        ]);
      show(0);
      try {
        const bytes = await read(file, show);
        const contentId = inline ? `${id.slice(0, 12)}@inline` : undefined;
        onRead({ id, name: file.name, type: file.type, bytes, contentId });
      } catch {
        toast(texts().compose.unreadable(file.name), "bad");
      }
      setReading((old) => old.filter((one) => one.id !== id));
    }
  };
  return { reading, add };
}

function read(file: File, progress: (part: number) => void): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    // Do not load a file that is far too large to send. The list shows that a smaller one is too large.
    if (file.size > 4 * MOST_BYTES) return reject(new Error("too large"));
    const reader = new FileReader();
    reader.onprogress = (event) => progress(event.loaded / Math.max(event.total, 1));
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error ?? new Error("not read"));
    reader.readAsArrayBuffer(file);
  });
}

export function Attachments({
  draft,
  reading,
  error,
  onRemove,
}: {
  draft: Draft;
  reading: Reading[];
  error?: string;
  onRemove: (id: string) => void;
}) {
  const t = useTexts();
  const total = totalSize(draft);
  const tooLarge = total > MOST_BYTES ? t.compose.tooLarge(size(MOST_BYTES)) : undefined;
  if (!draft.files.length && !reading.length && !error) return null;
  return (
    <section class="attachments" aria-label={t.compose.attachments}>
      <ul class="files">
        {draft.files.map((file) => (
          <li key={file.id}>
            <Icon name={isUsed(file, draft) ? "image" : "clip"} />
            <bdi>{file.name}</bdi>
            <span class="hint">
              {size(file.bytes.byteLength)}
              {isUsed(file, draft) && ` · ${t.compose.inline}`}
            </span>
            <IconButton
              icon="close"
              label={t.compose.remove(file.name)}
              onClick={() => onRemove(file.id)}
            />
          </li>
        ))}
        {reading.map(({ id, name, part }) => (
          <li key={id}>
            <Icon name="clip" />
            <bdi>{name}</bdi>
            <progress value={part} aria-label={t.compose.reading(name)} />
          </li>
        ))}
      </ul>
      {total > 0 && <p class="hint">{t.compose.total(size(total), size(MOST_BYTES))}</p>}
      {(error ?? tooLarge) && (
        <p class="error" role="alert" tabIndex={-1}>
          {error ?? tooLarge}
        </p>
      )}
    </section>
  );
}
