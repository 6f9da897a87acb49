// Operations that Python can't do itself, or only with many calls between the two languages.
// A structured value is passed as JSON: this takes one call instead of one per field. From Python
// to JavaScript, JSON is passed as bytes, which is much faster than as text.

import { env } from "cloudflare:workers";

const utf8 = new TextDecoder();
const parse = (bytes) => JSON.parse(utf8.decode(bytes));

// Long texts are passed as UTF-8: [[key, bytes], ...], or undefined. A text may begin with a byte
// order mark.
const whole = new TextDecoder("utf-8", { ignoreBOM: true });
const addTexts = (object, texts = []) => {
  for (const [key, bytes] of texts) object[key] = whole.decode(bytes);
};

// Take the long texts out of the rows of several statements: [[statement, row, column, text], ...].
const LONG = 64 * 1024;
const takeTexts = (results) => {
  const texts = [];
  results.forEach(({ rows }, statement) =>
    rows.forEach((row, place) => {
      for (const column in row) {
        const text = row[column];
        if (typeof text !== "string" || text.length <= LONG) continue;
        texts.push([statement, place, column, text]);
        row[column] = null;
      }
    }),
  );
  return texts;
};

// Free the memory of long texts at once. The garbage collector would do it some time later.
export const free = (texts = []) => {
  for (const [, { buffer }] of texts) buffer.transfer(0);
};

export const TIMED_OUT = Symbol("timed out");

// The value of the promise, or TIMED_OUT if it takes longer. Timeouts are in JavaScript, because a
// Python timeout would leave its timer pending in this runtime.
export const within = async (promise, milliseconds) => {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

const responseOf = async (promise, milliseconds) => {
  const response = await within(promise, milliseconds);
  if (response === TIMED_OUT) throw new Error(`no response within ${milliseconds} ms`);
  return response;
};

const isVariable = (value) =>
  ["string", "number", "boolean"].includes(typeof value) ||
  Array.isArray(value) ||
  Object.getPrototypeOf(value) === Object.prototype;

// The variables and secrets as JSON, and the names of the bindings.
export const environment = () => {
  const entries = Object.entries(env);
  const variables = entries.filter(([, value]) => isVariable(value));
  const bindings = entries.filter(([, value]) => !isVariable(value)).map(([name]) => name);
  return JSON.stringify({ variables: JSON.stringify(Object.fromEntries(variables)), bindings });
};

// The request without its body, as JSON.
export const describe = (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  const query = Object.fromEntries(searchParams);
  return JSON.stringify({ method: request.method, path: pathname, query, headers });
};

export const log = (line) => console.log(line);

export const respond = (status, headers, body) =>
  new Response(body, { status, headers: JSON.parse(headers) });

// The texts of SQL statements. They are long, so each crosses once, and then its number does.
const statementTexts = [];

// Keep the text of a statement, and return its number.
export const keepStatement = (sql) => statementTexts.push(sql) - 1;

// Run one D1 batch. `content` is JSON:
// {parameters, statements: [[number of an SQL text, [index of a parameter, ...]], ...]}. `texts` are
// parameters too.
// Resolves to JSON, with one entry per statement: [{rows, rows_written}, ...]. The last one also has
// the `size` of the database in bytes. If there are long texts in rows, it resolves to {json, texts}.
export const batch = async (content, texts, milliseconds) => {
  const { parameters, statements } = parse(content);
  addTexts(parameters, texts);
  const prepared = statements.map(([number, places]) =>
    env.DB.prepare(statementTexts[number]).bind(...places.map((place) => parameters[place])),
  );
  const responses = await responseOf(env.DB.batch(prepared), milliseconds);
  const results = responses.map(({ results, meta }, place) => ({
    rows: results,
    rows_written: meta.rows_written,
    size: place === responses.length - 1 ? meta.size_after : undefined,
  }));
  const found = takeTexts(results);
  const json = JSON.stringify(results);
  return found.length ? { json, texts: found } : json;
};

// Send a mail. Resolves to {messageId}, or after a timeout to {late}, for `lateResponse`.
// Python can't call `send` itself, because Pyodide treats the local binding as a generator and
// calls the `send` of generators. `texts` are fields of `message`. `contents` has the contents of its
// attachments. They are bytes, which JSON can't contain.
export const send = async (message, texts, contents, milliseconds) => {
  const form = parse(message);
  addTexts(form, texts);
  free(texts);
  contents.forEach((content, index) => (form.attachments[index].content = content));
  const late = Promise.resolve(env.SEND_MAIL.send(form)).then((sent) => sent?.messageId);
  const messageId = await within(late, milliseconds);
  if (messageId !== TIMED_OUT) return { messageId };
  late.catch(() => {}); // perhaps no coroutine awaits it
  return { late };
};

export const lateResponse = (late, milliseconds) => responseOf(late, milliseconds);

// Enqueue messages: [{body, delaySeconds}, ...]. `binding` is the name of the queue's binding.
export const enqueue = (messages, binding, milliseconds) =>
  responseOf(env[binding].sendBatch(parse(messages)), milliseconds);

// Acknowledge a batch of the queue and return the bodies of its messages.
export const takeBatch = (batch) => {
  batch.ackAll();
  return JSON.stringify(batch.messages.map(({ body }) => body));
};

// Longer events are passed as null. Those of the provider have a few kilobytes.
const LONGEST_EVENT = 64 * 1024;
const asContent = (body) => {
  try {
    const content = JSON.stringify(body) ?? "";
    return content.length > LONGEST_EVENT ? null : content;
  } catch {
    return null;
  }
};

// The messages of a batch of the queue of delivery events: [[body as JSON, attempts], ...].
export const readEvents = (batch) =>
  JSON.stringify(batch.messages.map(({ body, attempts }) => [asContent(body), attempts]));

// Retry the messages of a batch in `delays`, {position: seconds}, and acknowledge the others.
export const finishEvents = (batch, delays) => {
  const retried = JSON.parse(delays);
  batch.messages.forEach((message, position) => {
    const delaySeconds = retried[position];
    if (delaySeconds === undefined) message.ack();
    else message.retry({ delaySeconds });
  });
};

// PBKDF2-SHA-256 (RFC 8018), which Pyodide's hashlib lacks.
export const pbkdf2 = async (password, salt, iterations) => {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
};

// Count a request under `key`. False if it exceeds the rate limit.
export const admits = async (key, milliseconds) =>
  (await responseOf(env.RATE_LIMITER.limit({ key }), milliseconds)).success;

// The beginning of a response's body as text. A body that ends early or too late is cut off.
const beginning = async (body, most) => {
  const reader = body?.getReader();
  const parts = [];
  let left = reader ? most : 0;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value.subarray(0, left));
      left -= value.byteLength;
    }
  } catch {}
  reader?.cancel().catch(() => {});
  return new Blob(parts).text();
};

// Send a request to another server: with a body POST, otherwise GET. Follows no redirects. Resolves
// to {status, retry_after, error_type, text} with the first `most` bytes of the body, to null if it
// takes too long.
export const fetchText = async (url, headers, body, milliseconds, most) => {
  const method = body ? "POST" : "GET";
  const signal = AbortSignal.timeout(milliseconds);
  const options = { method, headers: parse(headers), body, signal, redirect: "manual" };
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
  const retry_after = response.headers.get("retry-after");
  const error_type = response.headers.get("x-amzn-errortype");
  const text = await beginning(response.body, most);
  return JSON.stringify({ status: response.status, retry_after, error_type, text });
};
