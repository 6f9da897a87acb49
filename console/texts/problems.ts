/** The sentence for an API error: from the server, or from the console if the server sent none. */

import { texts } from ".";
import type { Problem } from "../api/client";
import { duration } from "./formats";

export function describe(problem: Problem): string {
  const t = texts();
  if (problem.code === "no_response") return t.problems.noResponse;
  if (problem.code === "not_secure") return t.problems.notSecure;
  if (problem.code === "unreadable_response" || !problem.message) {
    return t.problems.unreadable(problem.status);
  }
  const wait = problem.retryAfter;
  return wait && problem.status === 429
    ? `${problem.message} ${t.problems.wait(duration(wait))}`
    : problem.message;
}
