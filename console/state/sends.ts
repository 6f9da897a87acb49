/**
 * The requests of this tab that send a draft: the uploaded part, from 0 to 1, by the draft's key.
 * A request continues if the person leaves the screen, and the screen shows it again afterwards.
 */

import { createStore } from "./store";

export const sends = createStore<ReadonlyMap<string, number>>(new Map());

export function setProgress(key: string, part: number): void {
  sends.set(new Map(sends.get()).set(key, part));
}

export function endProgress(key: string): void {
  const left = new Map(sends.get());
  left.delete(key);
  sends.set(left);
}
