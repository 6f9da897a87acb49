/** The lists of the deployment, each as a text with one entry a line. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type AccountSettings } from "../../api/admin";
import { Problem } from "../../api/client";
import { Button } from "../../components/Button";
import { Skeleton } from "../../components/Empty";
import { AreaField } from "../../components/Field";
import { useForm } from "../../components/form";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { toast } from "../../state/toasts";
import { number } from "../../texts/formats";
import { useTexts } from "../../texts";
import { Unsaved } from "./Unsaved";

const NAMES = [
  "blockList",
  "sendBlockList",
  "verifiedAddressList",
  "noLimitSendAddressList",
] as const;

type Name = (typeof NAMES)[number];

export function Lists() {
  const a = useTexts().admin;
  const { data, problem, reload } = useAdmin<AccountSettings>("/admin/account_settings");
  return (
    <Page title={a.sections.lists} intro={a.lists.intro}>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!data && !problem && <Skeleton lines={6} />}
      {data && <ListsForm settings={data} reload={reload} />}
    </Page>
  );
}

function ListsForm({
  settings,
  reload,
}: {
  settings: AccountSettings;
  reload: () => Promise<void>;
}) {
  const a = useTexts().admin;
  const t = a.lists;
  const common = useTexts().common;
  const [texts, setTexts] = useState<Partial<Record<Name, string>>>({});
  const changed = NAMES.filter((name) => {
    const text = texts[name];
    return text !== undefined && JSON.stringify(entries(text)) !== JSON.stringify(settings[name]);
  });
  const form = useForm(NAMES, async () => {
    const saved = texts;
    const body = Object.fromEntries(changed.map((name) => [name, entries(saved[name]!)]));
    try {
      await callAsAdmin("POST", "/admin/account_settings", { body });
    } catch (error) {
      throw error instanceof Problem ? atLines(error) : error;
    }
    toast(t.saved);
    await reload();
    // What was typed meanwhile stays.
    setTexts((now) =>
      Object.fromEntries(
        Object.entries(now).filter(([name, text]) => text !== saved[name as Name]),
      ),
    );
  });
  /** An entry is named by its place in the list; a person looks for its line. */
  const atLines = (problem: Problem) => {
    const errors = problem.errors.map(({ field, message }) => {
      const [, name, place] = /^(\w+)\[(\d+)\]$/.exec(field) ?? [];
      if (!name) return { field, message };
      const line = lineOf(texts[name as Name] ?? "", Number(place));
      return { field: name, message: t.line(line, message) };
    });
    return new Problem(problem.status, problem.code, problem.message, errors);
  };
  return (
    <form {...form.attributes}>
      <div class="lists">
        {NAMES.map((name) => {
          const text = texts[name] ?? settings[name].join("\n");
          const count = entries(text).length;
          return (
            <AreaField
              key={name}
              label={t[name]}
              hint={t[`${name}Hint`]}
              aside={<span class="hint">{t.count(count, number(count))}</span>}
              spellcheck={false}
              autocapitalize="none"
              autocomplete="off"
              rows={9}
              value={text}
              onValue={(value) => setTexts((now) => ({ ...now, [name]: value }))}
              error={form.errorAt(name)}
            />
          );
        })}
      </div>
      {form.problem && <ProblemNotice problem={form.problem} />}
      <div class="save-bar">
        <p class="muted" role="status">
          {changed.length ? t.unsaved : t.unchanged}
        </p>
        <div class="row">
          {changed.length > 0 && (
            <Button kind="quiet" onClick={() => setTexts({})}>
              {t.discard}
            </Button>
          )}
          <Button type="submit" kind="primary" busy={form.busy} disabled={!changed.length}>
            {common.save}
          </Button>
        </div>
      </div>
      {changed.length > 0 && <Unsaved />}
    </form>
  );
}

function entries(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** The line, counted from 1, on which the entry of this place stands. */
function lineOf(text: string, place: number): number {
  const filled = text.split("\n").flatMap((line, index) => (line.trim() ? [index + 1] : []));
  return filled[place] ?? 1;
}
