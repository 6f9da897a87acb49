// Lies over src/runtime/bridge.mjs, which lies beside it under another name: the worker's calls to
// the database, the provider and the queue pass the gate in the test's process, before and after.
// The gate lets them go on, never answers, or has them throw.

import { env } from "cloudflare:workers";
import * as bridge from "./bridge_original.mjs";

export * from "./bridge_original.mjs";

const utf8 = new TextDecoder();

const pass = async (call, when, content) => {
  const body = JSON.stringify({ call, when, content });
  const answer = await fetch(env.GATE_URL, { method: "POST", body });
  const { problem, code } = await answer.json();
  if (problem) throw Object.assign(new Error(problem), { code });
};

const gated = (call) => async (binding, bytes, ...rest) => {
  const content = utf8.decode(bytes);
  await pass(call, "before", content);
  const result = await bridge[call](binding, bytes, ...rest);
  await pass(call, "after", content);
  return result;
};

export const batch = gated("batch");
export const send = gated("send");
export const enqueue = gated("enqueue");
