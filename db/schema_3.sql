-- The comparison of what the homeserver has with what is in this file; one row, that of the bot.

CREATE TABLE musters (
    key         TEXT    NOT NULL PRIMARY KEY,   -- Matrix id of the bot
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX musters_by_deadline ON musters (deadline_ms, key) WHERE deadline_ms <> 0;
