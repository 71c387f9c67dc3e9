-- When the last commit was, by the clock of the process: the next process's clock is not behind it,
-- since deadlines and the times of calls are stored by it.

INSERT INTO meta (key, value) VALUES ('last_ms', 0);
