/** The answers to administrators, as docs/api.md describes them. */

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
  /** -1 for any number; null only where disabled. */
  dailyLimit: number | null;
  monthlyEnabled: boolean;
  monthlyLimit: number | null;
}

export interface SuppressionRow {
  address: string;
  reason: string;
  since: string;
}

export interface PauseRow {
  id: number;
  address: string;
  since: string;
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

export interface AuditPage {
  results: AuditRow[];
  next_cursor: string | null;
}

/** A part of a list, and how long the whole of it is. */
export interface Rows<Row> {
  results: Row[];
  count: number;
}

/** @throws Problem */
export function callAsAdmin<T>(method: string, path: string, options: Options = {}): Promise<T> {
  return call<T>(method, path, { ...options, as: "admin" });
}

export interface Shown<T> extends Loaded<T> {
  /** Whether what is shown still answers the question before. */
  isStale: boolean;
}

/** As `useGet`, for administrators; while another query is answered, the last answer stays. */
export function useAdmin<T>(path: string, query?: Options["query"]): Shown<T> {
  const loaded = useGet<T>(path, { as: "admin", query });
  const last = useRef<T | undefined>(undefined);
  if (loaded.data) last.current = loaded.data;
  const data = loaded.problem ? loaded.data : last.current;
  return { ...loaded, data, isStale: loaded.data === undefined };
}
