-- How many calls with an owner's Gitter token wait in the outbox, so that nobody has to count them.

CREATE TABLE waiting (
    owner TEXT    NOT NULL PRIMARY KEY,
    calls INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO waiting (owner, calls)
    SELECT owner, count(*) FROM outbox WHERE auth = 'OWNER' GROUP BY owner;

CREATE TRIGGER waiting_more AFTER INSERT ON outbox WHEN NEW.auth = 'OWNER' BEGIN
    INSERT INTO waiting (owner, calls) VALUES (NEW.owner, 1)
        ON CONFLICT (owner) DO UPDATE SET calls = calls + 1;
END;

CREATE TRIGGER waiting_less AFTER DELETE ON outbox WHEN OLD.auth = 'OWNER' BEGIN
    UPDATE waiting SET calls = calls - 1 WHERE owner = OLD.owner;
    DELETE FROM waiting WHERE owner = OLD.owner AND calls <= 0;
END;
