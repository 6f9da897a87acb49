// A bare send: the two batches, the mail, a line in the log, the response. PLANS maps the length of
// the mail's text to the statements of the two batches; tools/bench/statements.py explains them.

const LEASE_MILLISECONDS = 90_000;
let plans, cron;

// A UUID of version 7, which sorts by time like this project's ids.
const newId = (now) => {
  const time = now.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
};

const bound = (parameter, facts, text) => {
  if (parameter.slice) return text.slice(...parameter.slice);
  if (parameter.pieces) return parameter.pieces.map((it) => facts[it.fact] ?? it).join("");
  return parameter.value;
};

// Runs one batch and returns the rows that it wrote.
const run = async (database, statements, facts, text) => {
  const prepared = statements.map(([sql, parameters]) =>
    database.prepare(sql).bind(...parameters.map((parameter) => bound(parameter, facts, text))),
  );
  const results = await database.batch(prepared);
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
};

export default {
  // The batches of a run of the cron that has nothing to do.
  async scheduled(controller, env) {
    cron ??= JSON.parse(env.CRON);
    for (const statements of cron) await run(env.DB, statements);
    console.log(JSON.stringify({ event: "cron" }));
  },

  async fetch(request, env) {
    if (request.method !== "POST") return new Response("ready");
    plans ??= JSON.parse(env.PLANS);
    const mail = await request.json();
    const { reserve, record } = plans[mail.content.length];

    const now = Date.now();
    const id = newId(now);
    const reserving = { id, now, lease_until: now + LEASE_MILLISECONDS };
    let rowsWritten = await run(env.DB, reserve, reserving, mail.content);
    const { messageId } = await env.SEND_MAIL.send({
      from: { email: env.SENDER, name: mail.from_name },
      to: [{ email: mail.to_mail, name: mail.to_name }],
      subject: mail.subject,
      text: mail.content,
    });
    const recording = { id, now: Date.now(), provider_message_id: messageId };
    rowsWritten += await run(env.DB, record, recording, mail.content);
    console.log(JSON.stringify({ event: "request", status: 200, message_id: id }));
    return Response.json({ status: "ok", id, message_id: messageId, rows_written: rowsWritten });
  },
};
