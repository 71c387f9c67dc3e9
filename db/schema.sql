-- The first schema of gitterd's database. Later steps are files of their own (db/schema_2.sql ...),
-- listed in db/schema.c; a step that was released is never changed.
--
-- Times are ms since the epoch, ids are as Matrix and Gitter write them. An actor's row holds the
-- name of its state, the ms at which it wants to be woken (0: never), how many calls of its own are
-- in the outbox, a msgpack body, what is secret of it sealed (db/secrets.h), and the columns that
-- people and the router look things up by.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES
    ('next_turn', 1),                           -- number of the next turn
    ('created_ms', unixepoch() * 1000),
    ('instance', lower(hex(randomblob(16))));   -- tells a copy apart from a new database

-- Matrix users who use the bridge.
CREATE TABLE users (
    key          TEXT    NOT NULL PRIMARY KEY,  -- Matrix user id
    state        TEXT    NOT NULL,
    deadline_ms  INTEGER NOT NULL,
    calls        INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    sealed       BLOB,
    private_room TEXT,                          -- Matrix room of the chat with the bot
    gitter_id    TEXT                           -- Gitter user id
) STRICT;
CREATE INDEX users_by_deadline ON users (deadline_ms, key) WHERE deadline_ms <> 0;
CREATE INDEX users_by_private_room ON users (private_room) WHERE private_room IS NOT NULL;
CREATE INDEX users_by_gitter_id ON users (gitter_id) WHERE gitter_id IS NOT NULL;

-- Login links that were given out; those used or too old for a day longer.
CREATE TABLE logins (
    key         TEXT    NOT NULL PRIMARY KEY,   -- first half of the link's state
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX logins_by_deadline ON logins (deadline_ms, key) WHERE deadline_ms <> 0;

-- Commands under way that take several steps.
CREATE TABLE errands (
    key         TEXT    NOT NULL PRIMARY KEY,   -- user and the turn it began in
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB,
    user        TEXT                            -- Matrix user id
) STRICT;
CREATE INDEX errands_by_deadline ON errands (deadline_ms, key) WHERE deadline_ms <> 0;
CREATE INDEX errands_by_user ON errands (user) WHERE user IS NOT NULL;

-- Gitter rooms bridged to private Matrix rooms, one for each owner and Gitter room.
CREATE TABLE rooms (
    key         TEXT    NOT NULL PRIMARY KEY,   -- owner and Gitter room id
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB,
    owner       TEXT,                           -- Matrix user id
    matrix_room TEXT,
    gitter_room TEXT                            -- Gitter room id
) STRICT;
CREATE INDEX rooms_by_deadline ON rooms (deadline_ms, key) WHERE deadline_ms <> 0;
CREATE INDEX rooms_by_owner ON rooms (owner) WHERE owner IS NOT NULL;
CREATE INDEX rooms_by_matrix_room ON rooms (matrix_room) WHERE matrix_room IS NOT NULL;
CREATE INDEX rooms_by_gitter_room ON rooms (gitter_room) WHERE gitter_room IS NOT NULL;

-- What the bridged rooms look like in Matrix: names, topics, people.
CREATE TABLE faces (
    key         TEXT    NOT NULL PRIMARY KEY,   -- that of the room
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX faces_by_deadline ON faces (deadline_ms, key) WHERE deadline_ms <> 0;

-- Private chats with the bot.
CREATE TABLE chats (
    key         TEXT    NOT NULL PRIMARY KEY,   -- Matrix room id
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB,
    user        TEXT                            -- Matrix user id
) STRICT;
CREATE INDEX chats_by_deadline ON chats (deadline_ms, key) WHERE deadline_ms <> 0;
CREATE INDEX chats_by_user ON chats (user) WHERE user IS NOT NULL;

-- Virtual Matrix users that stand for Gitter users.
CREATE TABLE ghosts (
    key         TEXT    NOT NULL PRIMARY KEY,   -- Gitter user id
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX ghosts_by_deadline ON ghosts (deadline_ms, key) WHERE deadline_ms <> 0;

-- Connections to Gitter.
CREATE TABLE feeds (
    key         TEXT    NOT NULL PRIMARY KEY,   -- owner, or owner and Gitter room id
    state       TEXT    NOT NULL,
    deadline_ms INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    sealed      BLOB
) STRICT;
CREATE INDEX feeds_by_deadline ON feeds (deadline_ms, key) WHERE deadline_ms <> 0;

-- Which ghosts are in which Matrix room, or about to be.
CREATE TABLE ghost_rooms (
    matrix_room TEXT NOT NULL,
    ghost       TEXT NOT NULL,                  -- Matrix user id
    value       TEXT NOT NULL,
    PRIMARY KEY (matrix_room, ghost)
) STRICT, WITHOUT ROWID;

-- Which Matrix event stands for which Gitter message.
CREATE TABLE message_map (
    matrix_room TEXT    NOT NULL,
    gitter_id   TEXT    NOT NULL,               -- Gitter message id
    event_id    TEXT    NOT NULL,               -- Matrix event id
    created_day INTEGER NOT NULL,               -- days since the epoch, for pruning
    PRIMARY KEY (matrix_room, gitter_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_map_by_event ON message_map (matrix_room, event_id);
CREATE INDEX message_map_by_day ON message_map (created_day);

-- Calls that are declared and have not ended. A lane's calls are made in the order (place, id).
CREATE TABLE outbox (
    id            INTEGER NOT NULL PRIMARY KEY,
    place         INTEGER NOT NULL,
    turn          INTEGER NOT NULL,             -- that declared it
    created_ms    INTEGER NOT NULL,
    actor         TEXT    NOT NULL,             -- table and key of the actor that declared it
    actor_key     TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,             -- the message that reports the end
    api           TEXT    NOT NULL,             -- whose base URL: MATRIX, GITTER, GITTER_WEB
    auth          TEXT    NOT NULL,             -- whose token: NONE, APPSERVICE, OWNER, OAUTH
    repeat        TEXT    NOT NULL,             -- FREELY, NEVER
    lane          TEXT    NOT NULL,
    owner         TEXT    NOT NULL,             -- Matrix user it counts against
    after_lane    TEXT    NOT NULL,             -- lane it waits for
    method        TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    content_type  TEXT    NOT NULL,
    ref           TEXT    NOT NULL,
    not_before_ms INTEGER NOT NULL,
    patience_ms   INTEGER NOT NULL,             -- age at which it is given up; 0: the usual one
    is_catch_up   INTEGER NOT NULL,
    takes_401     INTEGER NOT NULL,
    body          BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_by_lane ON outbox (lane, place, id);

-- Homeserver events that were handled; kept for 30 days.
CREATE TABLE seen_events (
    event_id TEXT    NOT NULL PRIMARY KEY,
    seen_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_events_by_time ON seen_events (seen_ms);

-- What happened, for replay and for explaining; never a token.
CREATE TABLE journal (
    id      INTEGER NOT NULL PRIMARY KEY,
    turn    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    entry   BLOB    NOT NULL
) STRICT;
