/** What an entry of the sendbox says of its mail. */

import type { SendboxEntry, SentMail } from "./types";

const NOTHING: SentMail = {
  from_name: "",
  to_name: "",
  to_mail: "",
  subject: "",
  is_html: false,
  content: "",
};

/** The mail of `entry`; one that can't be read is empty, so that the rest is shown. */
export function mailOf(entry: SendboxEntry): SentMail {
  try {
    return { ...NOTHING, ...(JSON.parse(entry.raw) as Partial<SentMail> | null) };
  } catch {
    return NOTHING;
  }
}
