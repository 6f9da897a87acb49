/** The sentence for an API error: from the server, or from the console if the server sent none. */

import { texts } from ".";
import type { Problem } from "../api/client";
import { duration } from "./formats";

export function describe(problem: Problem): string {
  const t = texts();
  if (problem.code === "no_response") return t.problems.noResponse;
  if (problem.code === "offline") return t.problems.offline;
  if (problem.code === "not_secure") return t.problems.notSecure;
  if (problem.code === "unreadable_response" || !problem.message) {
    return t.problems.unreadable(problem.status);
  }
  const wait = problem.retryAfter;
  const message = asSentence(problem.message);
  return wait && problem.status === 429
    ? `${message} ${t.problems.wait(duration(wait))}`
    : message;
}

/** The prefixes that the HTTP contract puts before a sentence, in both languages. */
const PREFIX = /^(Failed to send mail |Failed to create address: |发送邮件失败 |创建邮箱地址失败: )(?=.)/;

/** A message of the API without its prefix, with a full stop. */
function asSentence(message: string): string {
  const text = message.replace(PREFIX, "").trim();
  if (/[.!?。！？:：]$/.test(text)) return text;
  return `${text}${/[\u3000-\u9fff]/.test(text) ? "。" : "."}`;
}
