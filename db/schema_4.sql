-- Pictures that Gitter named, and where the homeserver has them.

CREATE TABLE avatars (
    key         TEXT    NOT NULL PRIMARY KEY,   -- the picture's URL
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX avatars_by_deadline ON avatars (deadline_ms, key) WHERE deadline_ms <> 0;
