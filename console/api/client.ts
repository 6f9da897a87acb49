/** API client: headers, problem objects, upload progress. */

import { lang } from "../texts";
import {
  endCredential,
  forgetAdministrator,
  forgetSitePassword,
  session,
  type Session,
} from "../state/session";

/** An error in one field. `field` is its JSON path. */
export interface FieldProblem {
  field: string;
  message: string;
}

/**
 * An API error (RFC 9457), or an error that the console finds itself, such as `no_response` for a
 * missing response, or `offline` for a request that has not left. Without a response, `status` is 0.
 */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: FieldProblem[] = [],
    /** The id of the stored message, if any. */
    readonly messageId?: string,
    /** Seconds to wait before the next attempt. */
    readonly retryAfter?: number,
  ) {
    super(detail);
  }

  /** Whether the server may have processed the request, although no response tells the outcome. */
  get isUnclear(): boolean {
    return ["no_response", "unreadable_response", "internal_error"].includes(this.code);
  }

  /** Whether the API reference has the error. Errors that the console finds itself are not in it. */
  get isInReference(): boolean {
    return this.status >= 400 && this.code !== "unreadable_response";
  }
}

/** Whose credential to send; `anybody` sends none. */
type Caller = "address" | "admin" | "anybody";

export interface Options {
  as?: Caller;
  query?: Record<string, string | number>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Call the API and return the JSON of its response.
 *
 * @throws Problem
 */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const { body, signal } = options;
  const used = session.get();
  const isOffline = !navigator.onLine;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url(path, options.query), {
      method,
      headers: headers(options, used),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    text = await response.text(); // the connection can fail after the headers too
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, isOffline ? "offline" : "no_response", "");
  }
  return read<T>(options, used, response.status, text, response.headers.get("Retry-After"));
}

/**
 * Like `call`, for a request that can't be repeated and whose response has a secret.
 *
 * @param unknown the error message if the request may have been processed, but no usable response
 * arrived.
 */
export async function callOnce<T>(
  method: string,
  path: string,
  unknown: string,
  options: Options = {},
): Promise<T> {
  try {
    return await call<T>(method, path, options);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // The database may have executed a statement whose response was lost.
    const isUnclear = error.isUnclear || error.code === "database_unavailable";
    throw isUnclear ? new Problem(0, "maybe_done", unknown) : error;
  }
}

/** Like `call` with POST, but calls `progress` with the uploaded part of the body, from 0 to 1. */
export function upload<T>(
  path: string,
  options: Options,
  progress: (part: number) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const used = session.get();
    const request = new XMLHttpRequest();
    let hasLeft = navigator.onLine;
    request.open("POST", url(path, options.query));
    for (const [name, value] of Object.entries(headers(options, used))) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => {
      hasLeft ||= event.loaded > 0;
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = () => reject(new Problem(0, hasLeft ? "no_response" : "offline", ""));
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

/** The SHA-256 of a password in hexadecimal digits. Request bodies contain it instead of the password. */
export async function digest(password: string): Promise<string> {
  // crypto.subtle exists only on pages from https or localhost.
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
  const made: Record<string, string> = {
    "x-lang": lang.get(),
    "x-error-format": "json", // the deployment may prefer text (ERROR_FORMAT)
    ...options.headers,
  };
  if (options.body !== undefined) made["Content-Type"] = "application/json";
  // Header values are Latin-1: each byte of the UTF-8 password becomes one character.
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
  const isObject = typeof body === "object" && body !== null;
  if (status >= 200 && status < 300 && isObject) return body as T;
  // The Resend-compatible endpoints, such as cancel, send `message` instead of `detail`.
  const detail = body?.["detail"] ?? body?.["message"] ?? "";
  const code = String(body?.["code"] ?? "unreadable_response");
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

/** The entries of `errors` that have the API's form. */
function fieldProblems(errors: unknown): FieldProblem[] {
  if (!Array.isArray(errors)) return [];
  return (errors as (Partial<FieldProblem> | null)[]).filter(
    (error): error is FieldProblem =>
      typeof error?.field === "string" && typeof error.message === "string",
  );
}

/**
 * Forget a rejected password or credential, so that the console asks for it again. A late
 * response does not remove a newer one.
 */
function forget(code: string, caller: Caller, used: Session): void {
  if (code === "site_password_required") forgetSitePassword(used.sitePassword);
  if (code === "admin_password_required" && caller === "admin") {
    forgetAdministrator(used.adminPassword);
  }
  if (code === "invalid_credential" && caller === "address") endCredential(used.jwt);
}
