/** The draft of the signed-in address, stored while it is edited. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import {
  holdDraft,
  isEmpty,
  newDraft,
  newKey,
  notifyThisTab,
  onChangeElsewhere,
  readDraft,
  removeDraft,
  writeDraft,
} from "../../state/drafts";
import type { Draft, Saved } from "../../state/drafts";

/** Store a draft when typing pauses this long, and at the latest after `LONGEST_MS`. */
const PAUSE_MS = 300;
const LONGEST_MS = 1000;

export interface Drafting {
  /** Undefined until the stored draft is read. */
  draft?: Draft;
  edit: (change: Partial<Draft> | ((draft: Draft) => Partial<Draft>)) => void;
  /** Apply `change`, which is not an edit by the writer, store the draft now, and return it. */
  keep: (change: Partial<Draft>) => Promise<Draft>;
  discard: () => Promise<void>;
  saved: Saved;
}

export function useDraft(address: string): Drafting {
  const [draft, setDraft] = useState<Draft>();
  const [saved, setSaved] = useState<Saved>("no");
  const latest = useRef<Draft>(undefined);
  const timer = useRef(0);
  const editedSince = useRef(0);
  const hasLeft = useRef(false);
  const isEdited = useRef(false);

  const write = useCallback(
    async (replacing?: string) => {
      clearTimeout(timer.current);
      timer.current = 0;
      const written = latest.current;
      if (!written) return;
      setSaved(await writeDraft(address, written, replacing));
      if (hasLeft.current) notifyThisTab({ address, isRemoved: false });
    },
    [address],
  );

  const take = (next: Draft) => {
    latest.current = next;
    setDraft(next);
  };

  useEffect(() => {
    void readDraft(address).then((kept) => take(kept ?? newDraft()));
    const leave = () => {
      if (timer.current) void write();
    };
    const look = () => (document.hidden ? leave() : void follow(false));
    const unfollow = onChangeElsewhere((change) => {
      if (change.address === address) void follow(change.isRemoved);
    });
    document.addEventListener("visibilitychange", look);
    addEventListener("pagehide", leave);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("pagehide", leave);
      unfollow();
      leave();
      hasLeft.current = true;
    };
  }, [address, write]);

  /** Show the draft that was stored elsewhere, unless this screen is about to store an edit. */
  const follow = async (isRemoved: boolean) => {
    const own = latest.current;
    if (!own || timer.current) return;
    const kept = await readDraft(address);
    if (latest.current !== own || (!kept && !isRemoved)) return;
    if (kept || !isEdited.current || own.attemptedAt === undefined) {
      isEdited.current = false;
      take(kept ?? { ...newDraft(), fromName: own.fromName });
      setSaved(kept ? "yes" : "no");
      return;
    }
    // The draft was sent elsewhere, but edited here. So it becomes a new draft.
    take({ ...own, key: newKey(), attemptedAt: undefined });
    await write();
  };

  return {
    draft,
    saved: draft && isEmpty(draft) ? "no" : saved,
    edit(change) {
      const old = latest.current;
      if (!old) return;
      const next = { ...old, ...(typeof change === "function" ? change(old) : change) };
      take(next);
      isEdited.current = true;
      if (!hasLeft.current) holdDraft(address, next);
      setSaved("no");
      if (!timer.current) editedSince.current = performance.now();
      const left = editedSince.current + LONGEST_MS - performance.now();
      clearTimeout(timer.current);
      // Reading a file may finish after the writer has left the screen. Then this draft must not
      // replace a newer one.
      const replacing = hasLeft.current ? old.key : undefined;
      timer.current = window.setTimeout(
        () => void write(replacing),
        Math.min(PAUSE_MS, left),
      );
    },
    async keep(change) {
      const old = latest.current!;
      const next = { ...old, ...change };
      take(next);
      await write(old.key);
      return next;
    },
    async discard() {
      clearTimeout(timer.current);
      timer.current = 0;
      const { key, fromName } = latest.current!;
      take({ ...newDraft(), fromName });
      setSaved("no");
      await removeDraft(address, key);
      if (hasLeft.current) notifyThisTab({ address, isRemoved: true });
    },
  };
}
