/** Sending a draft: once, however often it is asked for. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, upload } from "../../api/client";
import type { SendAnswer } from "../../api/types";
import { newKey, type Draft } from "../../state/drafts";
import { go } from "../../state/route";
import { wrong } from "../../components/form";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { missingImages, outgoing } from "./outgoing";
import type { Drafting } from "./use_draft";

/** The server knows a key for a day; a clock may be wrong by some minutes. */
const KEY_HOURS = 23;

/**
 * What only the writer can decide: whether a draft that may be a message already is sent as
 * another one.
 *
 * - `changed`: an earlier version of it was accepted.
 * - `old`: it was sent so long ago that the server no longer knows its key.
 * - `unknown`: the provider did not answer; the draft has files, which are kept nowhere else.
 */
export interface Doubt {
  why: "changed" | "old" | "unknown";
  /** The message that it is already, where that is known. */
  id?: string;
}

export interface Sending {
  send: () => Promise<void>;
  /** Send the draft as another message than the one that it may be already. */
  sendAsNew: () => Promise<void>;
  /** The part that has left, from 0 to 1, while it is being sent. */
  progress?: number;
  problem?: Problem;
  doubt?: Doubt;
}

function asNew(): Partial<Draft> {
  return { key: newKey(), attemptedAt: undefined };
}

export function useSending({ draft, keep, discard }: Drafting): Sending {
  const t = useTexts();
  const [progress, setProgress] = useState<number>();
  const [problem, setProblem] = useState<Problem>();
  const [doubt, setDoubt] = useState<Doubt>();
  const isUnderWay = useRef(false);
  const hasLeft = useRef(false);
  useEffect(() => () => void (hasLeft.current = true), []);

  /** Go to a message, unless its writer has gone on to something else meanwhile. */
  const show = (id: string) => {
    if (!hasLeft.current) go(`/sent/${id}`);
  };

  const accepted = async (sent: Draft, { status, id }: SendAnswer) => {
    // Other statuses answer a repeated request: the message's page says what became of it.
    if (status === "ok") toast(t.compose.sent);
    if (status === "scheduled") toast(t.compose.scheduled);
    if (status === "queued") toast(t.compose.queued);
    if (status === "unknown") return unknown(sent, id);
    // The sendbox keeps texts, but no files.
    if (status === "failed" && sent.files.length) await keep(asNew());
    else await discard();
    show(id);
  };

  /** It stands in the sendbox, and only there it is sent again; but files are not kept there. */
  const unknown = async (sent: Draft, id: string) => {
    if (hasLeft.current) toast(t.compose.doubts.unknown.title, "bad");
    if (sent.files.length) return setDoubt({ why: "unknown", id });
    await discard();
    show(id);
  };

  const refused = async (sent: Draft, error: Problem, attemptedBefore?: number) => {
    const { code, status, messageId: id } = error;
    if (code === "outcome_unknown" && id) return unknown(sent, id);
    if (hasLeft.current) toast(error.isUnclear ? t.compose.lost : t.compose.refusedTitle, "bad");
    if (code === "idempotency_key_reused") return setDoubt({ why: "changed" });
    if (id) {
      // The key stands for a message that the provider refused: it would get that answer again.
      await keep(asNew());
    } else if (!error.isUnclear && status < 500 && code !== "idempotency_in_flight") {
      // Nothing of this request was kept; of an earlier one with this key something may be.
      await keep({ attemptedAt: attemptedBefore });
    }
    setProblem(error); // at last, for only what is no longer busy can take the focus
  };

  /** Send the draft with `change`, which is no edit. */
  const sendWith = async (change: Partial<Draft>) => {
    if (!draft || isUnderWay.current) return;
    isUnderWay.current = true;
    setProblem(undefined);
    setDoubt(undefined);
    const missing = missingImages(draft).map((id) => t.compose.missingImage(id));
    if (missing.length) {
      isUnderWay.current = false;
      return setProblem(wrong({ content: missing.join(" ") }));
    }
    setProgress(0);
    try {
      const before = { ...draft, ...change }.attemptedAt;
      const isOld = before !== undefined && Date.now() - before > KEY_HOURS * 3_600_000;
      if (isOld) return setDoubt({ why: "old" });
      // Should the page be left now, it knows later that this may have been sent.
      const sent = await keep({ ...change, attemptedAt: before ?? Date.now() });
      const options = { body: outgoing(sent), headers: { "Idempotency-Key": sent.key } };
      try {
        const answer = await upload<SendAnswer>("/api/send_mail", options, setProgress);
        if (typeof answer.id !== "string") throw new Problem(200, "unreadable_answer", "");
        await accepted(sent, answer);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        await refused(sent, error, before);
      }
    } finally {
      isUnderWay.current = false;
      setProgress(undefined);
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
