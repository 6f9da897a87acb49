// Takes the place of the send_email binding and does what the subject orders, word by word in
// brackets: [E_SOME_CODE] throws with that code, [no code] without one, [wait 500] waits so many
// milliseconds, [take] takes the mail. Without an order that throws the mail is taken in the end.
// What was taken is in the ledger, outside of this process, before anything is answered.

import { WorkerEntrypoint } from "cloudflare:workers";

const take = async (env, message) => {
  const answer = await fetch(env.LEDGER_URL, { method: "POST", body: JSON.stringify(message) });
  if (!answer.ok) throw new Error("the ledger did not take the mail");
};

export class Provider extends WorkerEntrypoint {
  async send(message) {
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
        throw Object.assign(new Error(`refused: ${order}`), { code: order });
      }
    }
    if (!taken) await take(this.env, message);
    return { messageId: `<${crypto.randomUUID()}@provider.test>` };
  }
}

export default { fetch: () => new Response("the provider's stand-in") };
