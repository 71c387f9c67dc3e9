-- The Matrix space of each user's bridged rooms, where that is configured.

CREATE TABLE spaces (
    key         TEXT    NOT NULL PRIMARY KEY,   -- Matrix user id
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB,
    matrix_room TEXT                            -- the space
) STRICT;
CREATE INDEX spaces_by_deadline ON spaces (deadline_ms, key) WHERE deadline_ms <> 0;
CREATE INDEX spaces_by_matrix_room ON spaces (matrix_room) WHERE matrix_room IS NOT NULL;
