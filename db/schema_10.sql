-- What the triggers counted, db/waiting.c counts: for a statement with a trigger SQLite copies every
-- page it changes, to be able to undo it alone.

DROP TRIGGER waiting_more;
DROP TRIGGER waiting_less;
