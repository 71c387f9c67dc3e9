-- How many calls of an owner wait in the outbox, those with their Gitter token and, since this step,
-- those to the homeserver, so that nobody has to count them.

DROP TRIGGER waiting_more;
DROP TRIGGER waiting_less;
DROP TABLE waiting;

CREATE TABLE waiting (
    owner TEXT    NOT NULL,
    auth  TEXT    NOT NULL,                     -- OWNER, APPSERVICE
    calls INTEGER NOT NULL,
    PRIMARY KEY (owner, auth)
) STRICT, WITHOUT ROWID;

INSERT INTO waiting (owner, auth, calls)
    SELECT owner, auth, count(*) FROM outbox WHERE auth IN ('OWNER', 'APPSERVICE') GROUP BY owner, auth;

CREATE TRIGGER waiting_more AFTER INSERT ON outbox WHEN NEW.auth IN ('OWNER', 'APPSERVICE') BEGIN
    INSERT INTO waiting (owner, auth, calls) VALUES (NEW.owner, NEW.auth, 1)
        ON CONFLICT (owner, auth) DO UPDATE SET calls = calls + 1;
END;

CREATE TRIGGER waiting_less AFTER DELETE ON outbox WHEN OLD.auth IN ('OWNER', 'APPSERVICE') BEGIN
    UPDATE waiting SET calls = calls - 1 WHERE owner = OLD.owner AND auth = OLD.auth;
    DELETE FROM waiting WHERE owner = OLD.owner AND auth = OLD.auth AND calls <= 0;
END;
