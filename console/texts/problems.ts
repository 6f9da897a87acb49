/** What is said of a refusal: the server's sentence, or ours where there was no answer. */

import { texts } from ".";
import type { Problem } from "../api/client";

export function describe(problem: Problem): string {
  const t = texts();
  if (problem.code === "no_answer") return t.problems.noAnswer;
  if (problem.code === "not_secure") return t.problems.notSecure;
  if (problem.code === "unreadable_answer" || !problem.message) {
    return t.problems.unreadable(problem.status);
  }
  const wait = problem.retryAfter;
  return wait && problem.status === 429
    ? `${problem.message} ${t.problems.wait(wait)}`
    : problem.message;
}
