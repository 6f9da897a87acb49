/** The lists of the deployment, each as a text with one entry per line. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type AccountSettings } from "../../api/admin";
import { Problem } from "../../api/client";
import { AreaField } from "../../components/Field";
import { useForm } from "../../components/form";
import { Loader } from "../../components/Loader";
import { Page } from "../../components/Page";
import { toast } from "../../state/toasts";
import { number } from "../../texts/formats";
import { useTexts } from "../../texts";
import { SaveBar } from "./SaveBar";

const NAMES = [
  "blockList",
  "sendBlockList",
  "verifiedAddressList",
  "noLimitSendAddressList",
] as const;

type Name = (typeof NAMES)[number];

export function Lists() {
  const a = useTexts().admin;
  const loaded = useAdmin<AccountSettings>("/admin/account_settings");
  return (
    <Page title={a.sections.lists} intro={a.lists.intro}>
      <Loader from={loaded}>
        {(settings) => <ListsForm settings={settings} reload={loaded.reload} />}
      </Loader>
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
  const [texts, setTexts] = useState<Partial<Record<Name, string>>>({});
  const changed = NAMES.filter((name) => {
    const text = texts[name];
    return text !== undefined && JSON.stringify(entries(text)) !== JSON.stringify(settings[name]);
  });
  const form = useForm({}, async () => {
    const saved = texts;
    const body = Object.fromEntries(changed.map((name) => [name, entries(saved[name]!)]));
    try {
      await callAsAdmin("POST", "/admin/account_settings", { body });
    } catch (error) {
      throw error instanceof Problem ? atLines(error) : error;
    }
    toast(t.saved);
    await reload();
    // Keep edits that were made while the request ran.
    setTexts((now) =>
      Object.fromEntries(
        Object.entries(now).filter(([name, text]) => text !== saved[name as Name]),
      ),
    );
  }, NAMES);
  /** Replace the index of an entry in an error by its line number. */
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
      <SaveBar form={form} isChanged={changed.length > 0} onDiscard={() => setTexts({})} />
    </form>
  );
}

function entries(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** The line number, from 1, of the entry with this index. */
function lineOf(text: string, place: number): number {
  const filled = text.split("\n").flatMap((line, index) => (line.trim() ? [index + 1] : []));
  return filled[place] ?? 1;
}
