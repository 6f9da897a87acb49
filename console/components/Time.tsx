/** A time of the API, as the language that is shown writes it. */

import { serverTime, time } from "../texts/formats";

export function Time({ at }: { at: string }) {
  return <time dateTime={serverTime(at).toISOString()}>{time(at)}</time>;
}
