// What Python can't call itself, or only at the price of many crossings between the two
// languages. Structured values cross as JSON text: one crossing instead of one a field.

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

// The body's bytes, or undefined when they are more than the limit. A body that is too large is
// read on, but not kept: a client hears the refusal only when it has sent what it has to say.
export const readBody = async (request, limit) => {
  const mostRead = 10 * limit;
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

// One D1 batch: [[sql, [parameter, ...]], ...] -> [{rows, rowsWritten}, ...]
export const batch = async (database, statements) => {
  const prepared = JSON.parse(statements).map(([sql, parameters]) =>
    database.prepare(sql).bind(...parameters),
  );
  const results = await database.batch(prepared);
  return JSON.stringify(
    results.map(({ results, meta }) => ({ rows: results, rows_written: meta.rows_written })),
  );
};

// Called here because Pyodide takes the local binding for a generator and puts Python's own
// `send` in the way.
export const send = async (binding, message) =>
  (await binding.send(JSON.parse(message)))?.messageId;

// PBKDF2-SHA-256 (RFC 8018), which Pyodide's hashlib lacks.
export const pbkdf2 = async (password, salt, iterations) => {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
};
