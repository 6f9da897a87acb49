/** Sends a draft once, even if the person presses Send several times. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, upload } from "../../api/client";
import type { SendResponse } from "../../api/types";
import { newKey, type Draft } from "../../state/drafts";
import { go } from "../../state/route";
import { endProgress, sends, setProgress } from "../../state/sends";
import { useStore } from "../../state/store";
import { fieldErrors } from "../../components/form";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { draftErrors } from "./check";
import { outgoing } from "./outgoing";
import type { Drafting } from "./use_draft";

/** The server stores a key for a day; the margin allows for wrong clocks. */
const KEY_HOURS = 23;

/** The errors with a status from 500 on that reject a request before anything is stored. */
const DEFINITE = ["sending_paused", "too_many_large_bodies"];

/**
 * The draft may have been sent already, so the writer decides whether to send it as a new message.
 *
 * - `changed`: the server accepted an earlier version.
 * - `old`: the draft was sent so long ago that the server no longer stores its key.
 * - `unknown`: the provider did not respond, and only the draft still has the attachments.
 */
export interface Doubt {
  why: "changed" | "old" | "unknown";
  /** The id of the stored message, if known. */
  id?: string;
}

export interface Sending {
  send: () => Promise<void>;
  /** Send the draft as a new message. */
  sendAsNew: () => Promise<void>;
  /** The uploaded part, from 0 to 1, while sending. */
  progress?: number;
  problem?: Problem;
  doubt?: Doubt;
}

/** Whether the request stored no message. */
function isDefinite({ isUnclear, status, code }: Problem): boolean {
  if (isUnclear || code === "idempotency_in_flight") return false;
  return status < 500 || DEFINITE.includes(code);
}

function asNew(): Partial<Draft> {
  return { key: newKey(), attemptedAt: undefined };
}

export function useSending({ draft, keep, discard }: Drafting): Sending {
  const t = useTexts();
  const progress = useStore(sends).get(draft?.key ?? "");
  const [problem, setProblem] = useState<Problem>();
  const [doubt, setDoubt] = useState<Doubt>();
  const isRunning = useRef(false);
  const hasLeft = useRef(false);
  useEffect(() => () => void (hasLeft.current = true), []);

  /** Go to a message, unless the person has left the screen. */
  const show = (id: string) => {
    if (!hasLeft.current) go(`/sent/${id}`);
  };

  const handleResponse = async (sent: Draft, { status, id }: SendResponse) => {
    // A repeated request can get other statuses. The page of the message explains them.
    if (status === "ok") toast(t.compose.sent);
    if (status === "scheduled") toast(t.compose.scheduled);
    if (status === "queued") toast(t.compose.queued);
    if (status === "unknown") return handleUnknown(sent, id);
    // The sendbox stores texts, but no attachments. So keep a failed draft with attachments.
    if (status === "failed" && sent.files.length) await keep(asNew());
    else await discard();
    show(id);
  };

  /** The message is in the sendbox and can be repeated there, but without attachments. */
  const handleUnknown = async (sent: Draft, id: string) => {
    if (hasLeft.current) toast(t.compose.doubts.unknown.title, "bad");
    if (sent.files.length) return setDoubt({ why: "unknown", id });
    await discard();
    show(id);
  };

  const handleError = async (sent: Draft, error: Problem, attemptedBefore?: number) => {
    const { code, messageId: id } = error;
    if (code === "outcome_unknown" && id) return handleUnknown(sent, id);
    if (hasLeft.current) toast(error.isUnclear ? t.compose.lost : t.compose.notSentTitle, "bad");
    if (code === "idempotency_key_reused") return setDoubt({ why: "changed" });
    if (id) {
      // With the same key, the server would replay the response for this rejected message.
      await keep(asNew());
    } else if (isDefinite(error)) {
      // This request stored nothing, but an earlier one with this key may have stored a message.
      await keep({ attemptedAt: attemptedBefore });
    }
    setProblem(error); // last: a busy form can't take the focus
  };

  /** Apply `change`, which is not an edit by the writer, and send the draft. */
  const sendWith = async (change: Partial<Draft>) => {
    if (!draft || isRunning.current || sends.get().has(draft.key)) return;
    isRunning.current = true;
    setProblem(undefined);
    setDoubt(undefined);
    const errors = draftErrors(draft);
    const isOffline = !navigator.onLine && draft.attemptedAt === undefined;
    if (isOffline || Object.keys(errors).length) {
      isRunning.current = false;
      return setProblem(
        isOffline ? new Problem(0, "offline", t.compose.offline) : fieldErrors(errors),
      );
    }
    const key = change.key ?? draft.key;
    setProgress(key, 0);
    try {
      const before = { ...draft, ...change }.attemptedAt;
      const isOld = before !== undefined && Date.now() - before > KEY_HOURS * 3_600_000;
      if (isOld) return setDoubt({ why: "old" });
      // If the page is closed now, the draft records that it may have been sent.
      const sent = await keep({ ...change, attemptedAt: before ?? Date.now() });
      const options = { body: outgoing(sent), headers: { "Idempotency-Key": key } };
      try {
        const response = await upload<SendResponse>("/api/send_mail", options, (part) =>
          setProgress(key, part),
        );
        if (typeof response.id !== "string") throw new Problem(200, "unreadable_response", "");
        await handleResponse(sent, response);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        await handleError(sent, error, before);
      }
    } finally {
      isRunning.current = false;
      endProgress(key);
    }
  };

  return {
    send: () => sendWith({}),
    sendAsNew: () => sendWith(asNew()),
    progress,
    problem,
    doubt,
  };
}
