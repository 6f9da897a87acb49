/** Signing out: nothing of the person stays in this browser but how the console looks. */

import { removeDrafts } from "./drafts";
import { go } from "./route";
import { forgetAll } from "./session";

export async function signOut(): Promise<void> {
  forgetAll();
  await removeDrafts();
  go("/start");
}
