/** Saves the messages of a list, with its filters, as a CSV file (RFC 4180). */

import { useEffect, useRef, useState } from "preact/hooks";
import { call, Problem } from "../../api/client";
import { mailOf } from "../../api/sent_mail";
import type { SendboxEntry, SendboxPage } from "../../api/types";
import { useAction } from "../../components/action";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { download } from "../../components/download";
import { ProblemNotice } from "../../components/Notice";
import { useTexts } from "../../texts";
import { number, serverTime } from "../../texts/formats";
import { apiQuery, type Filters } from "./filters";
import type { Source } from "./source";

const MOST_ROWS = 100_000;
const PAGE = 100;

const COLUMNS: Record<string, (entry: SendboxEntry) => string | number | null> = {
  id: ({ id }) => id,
  accepted_at: ({ created_at: at }) => serverTime(at).toISOString(),
  scheduled_at: ({ scheduled_at: at }) => at,
  status: ({ status }) => status,
  delivery_status: ({ delivery_status: status }) => status,
  recipients_with_delivery_status: ({ delivery_count: count }) => count,
  recipients: ({ recipient_count: count }) => count,
  sender: ({ address }) => address,
  first_recipient: (entry) => mailOf(entry).to_mail,
  subject: (entry) => mailOf(entry).subject,
};

export function ExportButton({ source, filters }: { source: Source; filters: Filters }) {
  const t = useTexts().sent;
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button icon="download" onClick={() => setIsOpen(true)}>
        {t.export}
      </Button>
      {isOpen && <Export {...{ source, filters }} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function Export({
  source,
  filters,
  onClose,
}: {
  source: Source;
  filters: Filters;
  onClose: () => void;
}) {
  const { common, sent: t } = useTexts();
  const { busy, problem, run } = useAction();
  const [rows, setRows] = useState(0);
  const [back, setBack] = useState("");
  const isOpen = useRef(true);
  // A retry continues after the last page.
  const made = useRef({ parts: [line(Object.keys(COLUMNS))], rows: 0, next: "" as string | null });
  const save = async () => {
    const file = made.current;
    while (file.next !== null && file.rows < MOST_ROWS && isOpen.current) {
      const page = await pageAt(source, filters, file.next);
      const entries = page.results.slice(0, MOST_ROWS - file.rows);
      file.parts.push(entries.map(rowOf).join(""));
      file.rows += entries.length;
      file.next = page.next_cursor ?? null;
      setRows(file.rows);
      setBack(file.next ? dayOf(file.next) : "");
    }
    if (!isOpen.current) return;
    // Spreadsheets read UTF-8 only with this mark.
    download(new Blob(["\ufeff", ...file.parts], { type: "text/csv" }), "messages.csv");
  };
  useEffect(() => {
    void run(save);
    return () => {
      isOpen.current = false;
    };
  }, []);
  const isFull = rows >= MOST_ROWS;
  return (
    <Dialog title={t.export} onClose={onClose}>
      <div class="stack">
        <p role="status">
          {busy ? t.exporting(number(rows), back) : problem ? "" : t.exported(number(rows))}
        </p>
        {busy && <progress aria-label={t.export} />}
        {!busy && isFull && <p>{t.exportFull(number(MOST_ROWS))}</p>}
        {problem && <ProblemNotice problem={problem} retry={() => void run(save)} />}
      </div>
      <footer>
        <Button onClick={onClose}>{busy ? t.stop : common.close}</Button>
      </footer>
    </Dialog>
  );
}

/** A page of the list. If there were too many requests, it waits as long as the service says. */
async function pageAt(source: Source, filters: Filters, cursor: string): Promise<SendboxPage> {
  const query = { limit: PAGE, cursor, ...apiQuery(filters) };
  for (;;) {
    try {
      return await call<SendboxPage>("GET", source.path, { as: source.as, query });
    } catch (error) {
      const wait = error instanceof Problem && error.status === 429 && error.retryAfter;
      if (!wait || wait > 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }
}

function rowOf(entry: SendboxEntry): string {
  return line(Object.values(COLUMNS).map((value) => value(entry)));
}

function line(cells: (string | number | null)[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value: string | number | null): string {
  // A spreadsheet would run a text that begins with one of these as a formula.
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : `${value ?? ""}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The day in the time of an id (UUID version 7). */
function dayOf(id: string): string {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString().slice(0, 10);
}
