// Takes the place of the send_email binding and does what the subject orders, word by word in
// brackets: [E_SOME_CODE] throws with that code, [no code] without one, [wait 500] waits so many
// milliseconds, [take] takes the mail. [E_SOME_CODE 2] throws twice and then no more. Without an
// order that throws the mail is taken in the end.
// What was taken is in the ledger, outside of this process, before anything is answered.

import { WorkerEntrypoint } from "cloudflare:workers";

const take = async (env, message) => {
  const answer = await fetch(env.LEDGER_URL, { method: "POST", body: JSON.stringify(message) });
  if (!answer.ok) throw new Error("the ledger did not take the mail");
};

const attempts = new Map();

export class Provider extends WorkerEntrypoint {
  async send(message) {
    const attempt = (attempts.get(message.subject) ?? 0) + 1;
    attempts.set(message.subject, attempt);
    let taken = false;
    for (const [, order] of message.subject.matchAll(/\[([^\]]+)\]/g)) {
      if (order === "take") {
        await take(this.env, message);
        taken = true;
      } else if (order.startsWith("wait ")) {
        await new Promise((resume) => setTimeout(resume, Number(order.slice(5))));
      } else if (order === "no code") {
        throw new Error("the provider broke down");
      } else {
        const [code, times] = order.split(" ");
        if (times && attempt > Number(times)) continue;
        throw Object.assign(new Error(`refused: ${code}`), { code });
      }
    }
    if (!taken) await take(this.env, message);
    return { messageId: `<${crypto.randomUUID()}@provider.test>` };
  }
}

export default { fetch: () => new Response("the provider's stand-in") };
