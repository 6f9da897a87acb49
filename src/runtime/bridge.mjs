// What Python can't call itself, or only at the price of many crossings between the two
// languages. Structured values cross as JSON: one crossing instead of one a field, and into
// JavaScript as bytes, which cross at a fraction of the price of text.

const utf8 = new TextDecoder();
const parse = (bytes) => JSON.parse(utf8.decode(bytes));

const TIMED_OUT = Symbol("timed out");

// What the promise resolves to, or TIMED_OUT when it takes longer. The timer is cleared, which
// Python's own time-outs here leave pending.
const within = async (promise, milliseconds) => {
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

const answerOf = async (promise, milliseconds) => {
  const answer = await within(promise, milliseconds);
  if (answer === TIMED_OUT) throw new Error(`no answer within ${milliseconds} ms`);
  return answer;
};

// Keep Python's task running beyond the end of its request. Python awaits the task itself, so
// a failure is handled there.
export const waitUntil = (context, task) => context.waitUntil(task.copy().catch(() => {}));

const isVariable = (value) =>
  ["string", "number", "boolean"].includes(typeof value) ||
  Array.isArray(value) ||
  Object.getPrototypeOf(value) === Object.prototype;

// Variables and secrets, without the bindings.
export const variables = (env) =>
  JSON.stringify(Object.fromEntries(Object.entries(env).filter(([, value]) => isVariable(value))));

export const describe = (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  const query = Object.fromEntries(searchParams);
  return JSON.stringify({ method: request.method, path: pathname, query, headers });
};

// The body's bytes, or undefined when there are more than the limit. An oversized body is read but
// not kept: a client reads the response only after it has sent its request.
export const readBody = async (request, limit, mostRead) => {
  const chunks = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
    if (size > mostRead) break;
  }
  if (size > limit) return undefined;
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
};

export const respond = (status, headers, body) =>
  new Response(body, { status, headers: JSON.parse(headers) });

// One D1 batch: {parameters, statements: [[sql, [place of a parameter, ...]], ...]}
// -> [{rows, rows_written}, ...]
export const batch = async (database, content, milliseconds) => {
  const { parameters, statements } = parse(content);
  const prepared = statements.map(([sql, places]) =>
    database.prepare(sql).bind(...places.map((place) => parameters[place])),
  );
  const results = await answerOf(database.batch(prepared), milliseconds);
  return JSON.stringify(
    results.map(({ results, meta }) => ({ rows: results, rows_written: meta.rows_written })),
  );
};

// Resolves to {messageId}, or to {late}, the promise of it, when there is no answer in time.
// Called here because Pyodide takes the local binding for a generator and puts Python's own
// `send` in the way. The contents of attachments are bytes, which no JSON can hold.
export const send = async (binding, message, contents, milliseconds) => {
  const form = parse(message);
  contents.forEach((content, index) => (form.attachments[index].content = content));
  const late = Promise.resolve(binding.send(form)).then((sent) => sent?.messageId);
  const messageId = await within(late, milliseconds);
  return messageId === TIMED_OUT ? { late } : { messageId };
};

// Messages for the queue: [{body, delaySeconds}, ...].
export const enqueue = (queue, messages, milliseconds) =>
  answerOf(queue.sendBatch(parse(messages)), milliseconds);

// The bodies of a batch from the queue, which is acknowledged.
export const takeBatch = (batch) => {
  batch.ackAll();
  return JSON.stringify(batch.messages.map(({ body }) => body));
};

// PBKDF2-SHA-256 (RFC 8018), which Pyodide's hashlib lacks.
export const pbkdf2 = async (password, salt, iterations) => {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
};

// Whether the rate limiter lets one more request of this key pass.
export const admits = async (limiter, key, milliseconds) =>
  (await answerOf(limiter.limit({ key }), milliseconds)).success;

// The response of another server to a POST request: {status, text}.
export const post = async (url, headers, body, milliseconds) => {
  const signal = AbortSignal.timeout(milliseconds);
  const response = await fetch(url, { method: "POST", headers: parse(headers), body, signal });
  return JSON.stringify({ status: response.status, text: await response.text() });
};
