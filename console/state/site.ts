/** The settings of the deployment, read once when the console starts. */

import { call } from "../api/client";
import type { SiteSettings } from "../api/types";
import { createStore } from "./store";

export const site = createStore<SiteSettings | null>(null);

/** @throws Problem */
export async function loadSite(): Promise<void> {
  site.set(await call<SiteSettings>("GET", "/open_api/settings", { as: "anybody" }));
}
