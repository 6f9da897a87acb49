/** The check of the DNS records of a sending domain, which starts with a click. */

import { useState } from "preact/hooks";
import { callAsAdmin, type DnsRecord } from "../../api/admin";
import { useAction } from "../../components/action";
import { Button } from "../../components/Button";
import { Code } from "../../components/Copy";
import { ProblemNotice } from "../../components/Notice";
import { useTexts } from "../../texts";

const STATES: Record<DnsRecord["state"], string> = {
  ok: "good",
  weak: "warning",
  missing: "bad",
  wrong: "bad",
  unknown: "",
};

export function DomainDns({ domain }: { domain: string }) {
  const t = useTexts().admin.domains;
  const { busy, problem, run } = useAction();
  const [records, setRecords] = useState<readonly DnsRecord[]>();
  const check = () =>
    run(async () => {
      const path = `/admin/domains/${encodeURIComponent(domain)}/dns`;
      setRecords((await callAsAdmin<{ records: DnsRecord[] }>("GET", path)).records);
    });
  return (
    <div class="dns">
      <Button
        small
        icon="refresh"
        busy={busy}
        aria-label={t.checkOne(domain)}
        onClick={() => void check()}
      >
        {t.check}
      </Button>
      {problem && <ProblemNotice problem={problem} />}
      <div role="status">
        {records?.map((record) => (
          <Record key={record.kind} domain={domain} record={record} />
        ))}
      </div>
    </div>
  );
}

function Record({ domain, record }: { domain: string; record: DnsRecord }) {
  const t = useTexts().admin.domains;
  const { kind, name, type, state, found, expected, policy } = record;
  const wanted = state === "missing" || state === "wrong" ? state : undefined;
  const isPartial = state === "weak" && policy !== "none";
  const policyText = policy && (isPartial ? t.partialPolicy(policy) : t.policies[policy]);
  return (
    <section class="dns-record">
      <div class="row">
        <h3>{t.records[kind]}</h3>
        <span class={`badge ${STATES[state] ?? ""}`}>{t.dnsStates[state] ?? state}</span>
      </div>
      <p>{t.explanations[kind]}</p>
      {policyText && <p>{policyText}</p>}
      {found.map((text) => (
        <p key={text} class="hint found">
          <code>{`${name} ${type} ${text}`}</code>
        </p>
      ))}
      {wanted && (
        <>
          <p>{expected.length ? t.set[wanted] : t.setKey}</p>
          {expected.length ? (
            expected.map((text) => (
              <Code key={text} text={recordText(record, text)} label={t.recordOf(name)} />
            ))
          ) : (
            <Code
              text={`npx wrangler email sending dns get ${domain}`}
              label={t.recordOf(name)}
            />
          )}
        </>
      )}
    </section>
  );
}

function recordText({ name, type }: DnsRecord, content: string): string {
  return type === "TXT" ? `${name} TXT "${content}"` : `${name} ${type} ${content}`;
}
