/** Import and export suppressions as CSV, in steps, with their progress. */

import { useEffect, useRef, useState } from "preact/hooks";
import { callAsAdmin, type ExportedRows, type ImportedRows } from "../../api/admin";
import { useAction } from "../../components/action";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { download } from "../../components/download";
import { FileButton } from "../../components/FileButton";
import { Notice, ProblemNotice } from "../../components/Notice";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";

const MOST_ROWS = 100_000;

/** The limits of a step. A body may have 64 KiB, and JSON writes a character in up to six bytes. */
const STEP_LINES = 500;
const STEP_CHARACTERS = 10_000;

/** The maximum number of invalid lines that are shown. */
const MOST_ERRORS = 100;

/** The service rejects longer lines. */
const MOST_LINE_CHARACTERS = 1000;

/** Sent in place of a line that is too long: the service rejects it for the same reason. */
const TOO_LONG = "-".repeat(MOST_LINE_CHARACTERS + 1);

export function ImportButton({ onChanged }: { onChanged: () => Promise<void> }) {
  const t = useTexts().admin.suppressions;
  const [lines, setLines] = useState<readonly string[]>();
  const open = async (file: File | undefined) => {
    if (!file) return;
    const read = (await file.text()).split(/\r\n|\n|\r/);
    while (read.length > 0 && !read[read.length - 1]!.trim()) read.pop();
    if (read.filter(isRow).length > MOST_ROWS) toast(t.tooManyRows(number(MOST_ROWS)), "bad");
    else setLines(read);
  };
  const close = () => {
    setLines(undefined);
    void onChanged();
  };
  return (
    <>
      <FileButton
        label={t.importFile}
        icon="list"
        accept=".csv,text/csv"
        onFiles={([file]) => void open(file)}
      />
      {lines && <Import lines={lines} onClose={close} />}
    </>
  );
}

function Import({ lines, onClose }: { lines: readonly string[]; onClose: () => void }) {
  const { admin, common } = useTexts();
  const t = admin.suppressions;
  const [done, setDone] = useState(0);
  const [total, setTotal] = useState<ImportedRows>({ imported: 0, errors: [] });
  const { busy, problem, run } = useAction();
  const isOpen = useRef(true);
  const go = async () => {
    for (let at = done; at < lines.length && isOpen.current; ) {
      const end = stepEnd(lines, at);
      const csv = lines.slice(at, end).map(sent).join("\n");
      const body = { csv, first_line: at + 1 };
      const step = await callAsAdmin<ImportedRows>("POST", "/admin/suppressions/import", { body });
      setTotal((old) => ({
        imported: old.imported + step.imported,
        errors: [...old.errors, ...step.errors],
      }));
      setDone((at = end));
    }
  };
  useEffect(() => {
    void run(go);
    return () => {
      isOpen.current = false;
    };
  }, []);
  const progress = t.importing(number(done), number(lines.length));
  return (
    <Dialog title={t.importFile} onClose={onClose}>
      <div class="stack">
        <p role="status">{progress}</p>
        <progress max={Math.max(1, lines.length)} value={done} aria-label={progress} />
        <p>{t.imported(number(total.imported))}</p>
        {total.errors.length > 0 && <Invalid errors={total.errors} />}
        {problem && <ProblemNotice problem={problem} retry={() => void run(go)} />}
      </div>
      <footer>
        <Button onClick={onClose}>{busy ? t.stop : common.close}</Button>
      </footer>
    </Dialog>
  );
}

function Invalid({ errors }: Pick<ImportedRows, "errors">) {
  const t = useTexts().admin.suppressions;
  const more = errors.length - MOST_ERRORS;
  return (
    <Notice kind="warning" title={t.invalid(number(errors.length))}>
      <ul>
        {errors.slice(0, MOST_ERRORS).map(({ line, message }) => (
          <li key={line}>{t.line(number(line), message)}</li>
        ))}
      </ul>
      {more > 0 && <p>{t.more(number(more))}</p>}
    </Notice>
  );
}

/** The end of the step that begins with the line `at`. */
function stepEnd(lines: readonly string[], at: number): number {
  let end = at;
  for (let left = STEP_CHARACTERS; end < lines.length && end - at < STEP_LINES; end++) {
    left -= sent(lines[end]!).length + 1;
    if (left < 0) break;
  }
  return end;
}

function sent(line: string): string {
  return line.length > MOST_LINE_CHARACTERS ? TOO_LONG : line;
}

/** Whether the line is neither empty nor a description of the columns. */
function isRow(line: string): boolean {
  return line.trim() !== "" && !/^\s*("?address"?\s*(,|$)|sep=,\s*$)/i.test(line);
}

export function ExportButton() {
  const t = useTexts().admin.suppressions;
  const [done, setDone] = useState<number>();
  const { busy, problem, run } = useAction();
  const save = async () => {
    const parts: string[] = [];
    let rows = 0;
    for (let cursor: string | null = ""; cursor !== null; ) {
      setDone(rows);
      const page: ExportedRows = await callAsAdmin<ExportedRows>(
        "GET", "/admin/suppressions/export", { query: { cursor } },
      );
      parts.push(page.csv);
      rows += page.rows;
      cursor = page.next_cursor;
    }
    download(new Blob(parts, { type: "text/csv" }), "suppressions.csv");
  };
  return (
    <>
      <Button small icon="copy" busy={busy} onClick={() => void run(save)}>
        {busy && done ? t.rows(number(done)) : t.exportFile}
      </Button>
      {problem && <ProblemNotice problem={problem} />}
    </>
  );
}
