/** Calls of the API: headers, problem objects, progress. */

import { lang } from "../texts";
import {
  endCredential,
  forgetAdministrator,
  forgetSitePassword,
  session,
  type Session,
} from "../state/session";

/** What is wrong with one field, by its JSON path. */
export interface FieldProblem {
  field: string;
  message: string;
}

/** A refusal of the server (RFC 9457), or no answer at all (`status` 0, `code` `no_answer`). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: FieldProblem[] = [],
    /** The id of the message, where one was kept. */
    readonly messageId?: string,
    /** Seconds after which the same request is worth another try. */
    readonly retryAfter?: number,
  ) {
    super(detail);
  }

  /** Whether it leaves open if the request was carried out: no answer came, or none of the API. */
  get isUnclear(): boolean {
    return ["no_answer", "unreadable_answer", "internal_error"].includes(this.code);
  }
}

/** Who asks: the address that is signed in, the administrator, or anybody. */
export type Caller = "address" | "admin" | "anybody";

export interface Options {
  as?: Caller;
  query?: Record<string, string | number>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Call the API and return the JSON of its answer.
 *
 * @throws Problem
 */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const { body, signal } = options;
  const used = session.get();
  let response: Response;
  try {
    response = await fetch(url(path, options.query), {
      method,
      headers: headers(options, used),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "no_answer", "");
  }
  const text = await response.text();
  return read<T>(options, used, response.status, text, response.headers.get("Retry-After"));
}

/** As `call`, for a large body: `progress` is told the part that has left, from 0 to 1. */
export function upload<T>(
  path: string,
  options: Options,
  progress: (part: number) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const used = session.get();
    const request = new XMLHttpRequest();
    request.open("POST", url(path, options.query));
    for (const [name, value] of Object.entries(headers(options, used))) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = () => reject(new Problem(0, "no_answer", ""));
    request.onload = () => {
      try {
        const retryAfter = request.getResponseHeader("Retry-After");
        resolve(read<T>(options, used, request.status, request.responseText, retryAfter));
      } catch (error) {
        reject(error);
      }
    };
    request.send(JSON.stringify(options.body));
  });
}

/** SHA-256 of a password in hexadecimal digits: what is sent of it. */
export async function digest(password: string): Promise<string> {
  // Browsers have it only where the page comes by https, or from this machine.
  if (!isSecureContext) throw new Problem(0, "not_secure", "");
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(password));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function url(path: string, query: Options["query"]): string {
  const words = Object.entries(query ?? {}).map(([name, value]) => [name, String(value)]);
  return words.length ? `${path}?${new URLSearchParams(words)}` : path;
}

function headers(options: Options, used: Session): Record<string, string> {
  const { jwt, sitePassword, adminPassword } = used;
  const made: Record<string, string> = { "x-lang": lang.get(), ...options.headers };
  if (options.body !== undefined) made["Content-Type"] = "application/json";
  // A header holds Latin-1 alone, so the bytes of other passwords go as such characters.
  if (sitePassword) made["x-custom-auth"] = latin1(sitePassword);
  if (options.as === "admin" && adminPassword) made["x-admin-auth"] = latin1(adminPassword);
  if ((options.as ?? "address") === "address" && jwt) made["Authorization"] = `Bearer ${jwt}`;
  return made;
}

function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function read<T>(
  options: Options,
  used: Session,
  status: number,
  text: string,
  retryAfter: string | null,
): T {
  let body: Record<string, unknown> | null | undefined;
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = undefined;
  }
  const isAnswer = typeof body === "object" && body !== null;
  if (status >= 200 && status < 300 && isAnswer) return body as T;
  // Clients of Resend are answered in its form, and so is who cancels a message.
  const detail = body?.["detail"] ?? body?.["message"] ?? "";
  const code = String(body?.["code"] ?? "unreadable_answer");
  if (status === 401) forget(code, options.as ?? "address", used);
  throw new Problem(
    status,
    code,
    String(detail),
    fieldProblems(body?.["errors"]),
    typeof body?.["id"] === "string" ? body["id"] : undefined,
    Number(retryAfter) || undefined,
  );
}

/** What is wrong by field, as far as `errors` says it in the API's form. */
function fieldProblems(errors: unknown): FieldProblem[] {
  if (!Array.isArray(errors)) return [];
  return (errors as (Partial<FieldProblem> | null)[]).filter(
    (error): error is FieldProblem =>
      typeof error?.field === "string" && typeof error.message === "string",
  );
}

/**
 * A password or credential that is refused is asked for again, unless the session has another by
 * now than the request had: answers may be late.
 */
function forget(code: string, caller: Caller, used: Session): void {
  if (code === "site_password_required") forgetSitePassword(used.sitePassword);
  if (code === "admin_password_required" && caller === "admin") {
    forgetAdministrator(used.adminPassword);
  }
  if (code === "invalid_credential" && caller === "address") endCredential(used.jwt);
}
