-- Fewer entries for each message: events and messages are no longer listed by their time as well. A
-- sweep that walks through the tables finds the old ones instead (db/sweep.h), so that they stay up to
-- a third longer than their 30 or 60 days.

CREATE TABLE sweeps (
    name    TEXT NOT NULL PRIMARY KEY,          -- table that is swept
    swept   TEXT NOT NULL,                      -- the last row looked at; empty: begin anew
    swept_2 TEXT NOT NULL                       -- the second part of its key, if it has one
) STRICT, WITHOUT ROWID;

INSERT INTO sweeps (name, swept, swept_2) VALUES ('seen_events', '', ''), ('message_map', '', '');

DROP INDEX seen_events_by_time;
DROP INDEX message_map_by_day;
