// Replaces the send_email binding. It follows the instructions in brackets in the subject:
// [E_SOME_CODE] throws with that code, [E_SOME_CODE 2] throws at the first two attempts only,
// [no code] throws without a code, [wait 500] waits 500 milliseconds, [take] takes the mail. If no
// instruction throws or takes the mail, it is taken at the end. To take a mail means to write it to
// the ledger, outside of this process, before `send` resolves.

import { WorkerEntrypoint } from "cloudflare:workers";

const take = async (env, message) => {
  const response = await fetch(env.LEDGER_URL, { method: "POST", body: JSON.stringify(message) });
  if (!response.ok) throw new Error("the ledger did not take the mail");
};

const attempts = new Map();

export class Provider extends WorkerEntrypoint {
  async send(message) {
    const attempt = (attempts.get(message.subject) ?? 0) + 1;
    attempts.set(message.subject, attempt);
    let taken = false;
    for (const [, instruction] of message.subject.matchAll(/\[([^\]]+)\]/g)) {
      if (instruction === "take") {
        await take(this.env, message);
        taken = true;
      } else if (instruction.startsWith("wait ")) {
        await new Promise((resume) => setTimeout(resume, Number(instruction.slice(5))));
      } else if (instruction === "no code") {
        throw new Error("the provider broke down");
      } else {
        const [code, times] = instruction.split(" ");
        if (times && attempt > Number(times)) continue;
        throw Object.assign(new Error(`rejected: ${code}`), { code });
      }
    }
    if (!taken) await take(this.env, message);
    return { messageId: `<${crypto.randomUUID()}@provider.test>` };
  }
}

export default { fetch: () => new Response("the provider's stand-in") };
