-- Fewer entries for each message: events and messages are no longer listed by their time as well. The
-- old ones are found in another way (db/prune.h), and stay somewhat longer than their 30 or 60 days.

DROP INDEX seen_events_by_time;
DROP INDEX message_map_by_day;

-- Without the messages that are on their way to Matrix and have no event yet.
DROP INDEX message_map_by_event;
CREATE INDEX message_map_by_event ON message_map (matrix_room, event_id) WHERE event_id <> '';

-- Found in the order they are wanted in, so that nothing is sorted.
DROP INDEX users_by_private_room;
DROP INDEX users_by_gitter_id;
DROP INDEX errands_by_user;
DROP INDEX rooms_by_owner;
DROP INDEX rooms_by_matrix_room;
DROP INDEX rooms_by_gitter_room;
DROP INDEX chats_by_user;
DROP INDEX spaces_by_matrix_room;
CREATE INDEX users_by_private_room ON users (private_room, key) WHERE private_room IS NOT NULL;
CREATE INDEX users_by_gitter_id ON users (gitter_id, key) WHERE gitter_id IS NOT NULL;
CREATE INDEX errands_by_user ON errands (user, key) WHERE user IS NOT NULL;
CREATE INDEX rooms_by_owner ON rooms (owner, key) WHERE owner IS NOT NULL;
CREATE INDEX rooms_by_matrix_room ON rooms (matrix_room, key) WHERE matrix_room IS NOT NULL;
CREATE INDEX rooms_by_gitter_room ON rooms (gitter_room, key) WHERE gitter_room IS NOT NULL;
CREATE INDEX chats_by_user ON chats (user, key) WHERE user IS NOT NULL;
CREATE INDEX spaces_by_matrix_room ON spaces (matrix_room, key) WHERE matrix_room IS NOT NULL;
