/** The response of `GET /admin/overview`; docs/api.md describes it. */

export type CheckName =
  | "bindings"
  | "secrets"
  | "migrations"
  | "cron"
  | "queue"
  | "domains"
  | "address"
  | "balance"
  | "mail"
  | "events";

export type CheckState = "ok" | "waiting" | "warning" | "missing" | "unknown";

export interface Check {
  name: CheckName;
  state: CheckState;
  /** Names of bindings, secrets, variables, a migration, or domains. */
  details: string[];
  at: string | null;
  count: number | null;
}

export interface Overview {
  version: string;
  database: {
    /** Null if it is not known. */
    size: number | null;
    limit: number;
  };
  checks: Check[];
}
