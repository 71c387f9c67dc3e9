-- Pictures that were kept for ever. Where they are is known to those who show them; whoever wants one
-- that is not there has it fetched again, and kept for a while.

DELETE FROM avatars WHERE deadline_ms = 0 AND calls = 0;
