/** Secrets that the server sends only once. */

import { createStore } from "./store";

/**
 * Whether the screen shows such a secret. Then nothing that happens elsewhere may replace the
 * screen, such as signing out in another tab.
 */
export const isSecretShown = createStore(false);
