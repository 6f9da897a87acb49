/** The responses of the admin API; docs/api.md describes them. */

import { useRef } from "preact/hooks";
import { call, type Options } from "./client";
import { useGet, type Loaded } from "./use";

export interface AddressRow {
  id: number;
  name: string;
  created_at: string;
  updated_at: string;
  source_meta: string | null;
  send_count: number;
}

export interface BalanceRow {
  id: number;
  address: string;
  balance: number;
  enabled: 0 | 1;
  /** When the address requested access; null if no request waits for a decision. */
  requested_at: string | null;
  created_at: string;
}

export interface AccountSettings {
  blockList: string[];
  sendBlockList: string[];
  verifiedAddressList: string[];
  noLimitSendAddressList: string[];
  sendMailLimitConfig: SendLimits;
}

export interface SendLimits {
  dailyEnabled: boolean;
  /** -1 means unlimited; null only if disabled. */
  dailyLimit: number | null;
  monthlyEnabled: boolean;
  monthlyLimit: number | null;
}

export const SUPPRESSION_REASONS = [
  "manual", "hard_bounce", "soft_bounce", "complaint", "provider",
] as const;

export interface SuppressionRow {
  address: string;
  /** The sending domain from which the recipient gets no mail; empty for any. */
  scope: string;
  reason: (typeof SUPPRESSION_REASONS)[number];
  /** The id of a message, the name of an administrator, or "import". */
  origin: string | null;
  since: string;
  /** null for no end. */
  expires_at: string | null;
}

/** The result of importing some lines. */
export interface ImportedRows {
  imported: number;
  errors: { line: number; message: string }[];
}

export interface ExportedRows {
  csv: string;
  rows: number;
  next_cursor: string | null;
}

export interface PauseRow {
  id: number;
  address: string;
  since: string;
}

export interface DomainNumbers {
  accepted: number;
  delivered: number;
  delayed: number;
  bounced: number;
  failed: number;
  rejected: number;
  complained: number;
}

export interface DomainDay extends DomainNumbers {
  /** The day, `YYYY-MM-DD`. */
  day: string;
}

export interface DomainMarks {
  bounce_rate: number;
  complaint_rate: number;
}

export interface DomainPeriod extends DomainNumbers {
  /** Null without recipients. */
  bounce_rate: number | null;
  complaint_rate: number | null;
}

export interface DomainRow {
  domain: string;
  state: "unused" | "too_early" | "heard" | "never_heard" | "silent";
  /** The last day whose mail has any delivery event. */
  last_heard: string | null;
  last_7_days: DomainPeriod;
  last_30_days: DomainPeriod;
  days: DomainDay[];
}

export interface DomainPage extends Rows<DomainRow> {
  marks: DomainMarks;
}

export interface DnsRecord {
  kind: "spf" | "dkim" | "dmarc" | "mx";
  name: string;
  type: "TXT" | "MX";
  state: "ok" | "weak" | "missing" | "wrong" | "unknown";
  found: string[];
  /** Empty if only the provider knows the record. */
  expected: string[];
  policy: string | null;
}

export interface TransportRow {
  name: string;
  type: "send_email" | "resend" | "smtp" | "ses";
  /** `*` stands for all domains without a route of their own. */
  domains: string[];
  state: "ok" | "failing" | "skipped";
  skipped_until: string | null;
  sent_today: number;
  rejected_today: number;
  last_error: string | null;
  last_error_at: string | null;
}

export interface AuditRow {
  id: string;
  at: string;
  actor: string;
  action: string;
  object: string;
  source: string | null;
  details: Record<string, unknown> | null;
}

/** A page of a long list. */
export interface Part<Row> {
  results: Row[];
  /** null on the last page. */
  next_cursor: string | null;
}

/** A page of a list, and the length of the whole list. */
export interface Rows<Row> {
  results: Row[];
  count: number;
}

/** @throws Problem */
export function callAsAdmin<T>(method: string, path: string, options: Options = {}): Promise<T> {
  return call<T>(method, path, { ...options, as: "admin" });
}

/**
 * Like `useGet`, as the administrator. While a new query loads, `data` is the response to the
 * previous query, and `isStale` is true.
 */
export function useAdmin<T>(
  path: string,
  query?: Options["query"],
): Loaded<T> & { isStale: boolean } {
  const loaded = useGet<T>(path, { as: "admin", query });
  const last = useRef<T | undefined>(undefined);
  if (loaded.data) last.current = loaded.data;
  const data = loaded.problem ? loaded.data : last.current;
  return { ...loaded, data, isStale: loaded.data === undefined };
}
