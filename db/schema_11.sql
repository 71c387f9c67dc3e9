-- How many calls of an owner wait is counted in memory: the table had to be written twice for each
-- call, and added up for each batch.

DROP TABLE waiting;
