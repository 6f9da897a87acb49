/** The webhooks of an address or of the deployment. Few people open them, so they load late. */

import { lazy } from "../components/lazy";

export const Webhooks = lazy(async () => (await import("./webhooks/Webhooks")).Webhooks);
