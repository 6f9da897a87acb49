-- What `q` finds in the sendbox: one row a message, written by the sweep and not by the send. `head`
-- has the words of the subject and the recipients, `text` those of the body, each as
-- `<address_id>_<word>`: a search walks the words of one address and no others. `message_id` is
-- one word too. rowid grows with message_id and with its time. FTS5 keeps the words as they were
-- given, so that a row can be removed from the index without its message.
CREATE VIRTUAL TABLE search USING fts5 (
  message_id, head, text, tokenize = "ascii tokenchars '_-'", detail = none, columnsize = 0
);

-- Whoever removes a body or a message, the index follows in the same transaction.
CREATE TRIGGER search_forgets_text AFTER DELETE ON bodies
BEGIN
  UPDATE search SET text = NULL
  WHERE search MATCH '"' || old.message_id || '"' AND text IS NOT NULL;
END;

CREATE TRIGGER search_forgets_message AFTER DELETE ON messages
BEGIN
  DELETE FROM search WHERE search MATCH '"' || old.id || '"';
END;
