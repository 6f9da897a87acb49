/** A time from the API in the format of the current language. */

import { serverTime, time } from "../texts/formats";

export function Time({ at }: { at: string }) {
  return <time dateTime={serverTime(at).toISOString()}>{time(at)}</time>;
}
