/** Signing out removes everything from this browser except language and theme. */

import { removeDrafts } from "./drafts";
import { go } from "./route";
import { forgetAll } from "./session";

export async function signOut(): Promise<void> {
  forgetAll();
  await removeDrafts();
  go("/start");
}
