/** The administration. Most people never open it, so it loads late. */

import { lazy } from "../components/lazy";

export const Administration = lazy(async () => (await import("./admin/Admin")).Admin);
