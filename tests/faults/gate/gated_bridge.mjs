// Replaces src/runtime/bridge.mjs, which is in the same folder as bridge_original.mjs. Before and
// after each call to the database, the provider or the queue it sends a request to the gate in the
// test's process. The gate's response lets the call continue or throw. A late response holds it.

import { env } from "cloudflare:workers";
import * as bridge from "./bridge_original.mjs";

export * from "./bridge_original.mjs";

const utf8 = new TextDecoder();

const pass = async (call, when, content) => {
  const body = JSON.stringify({ call, when, content });
  const response = await fetch(env.GATE_URL, { method: "POST", body });
  const { problem, code } = await response.json();
  if (problem) throw Object.assign(new Error(problem), { code });
};

// The gate recognises statements by their texts.
const texts = [];
export const keepStatement = (sql) => {
  texts.push(sql);
  return bridge.keepStatement(sql);
};

const withTexts = (content) => {
  const { parameters, statements } = JSON.parse(content);
  const named = statements.map(([number, places]) => [texts[number], places]);
  return JSON.stringify({ parameters, statements: named });
};

const gated = (call) => async (bytes, ...rest) => {
  const decoded = utf8.decode(bytes);
  const content = call === "batch" ? withTexts(decoded) : decoded;
  await pass(call, "before", content);
  const result = await bridge[call](bytes, ...rest);
  await pass(call, "after", content);
  return result;
};

export const batch = gated("batch");
export const send = gated("send");
export const enqueue = gated("enqueue");
