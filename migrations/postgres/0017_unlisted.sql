-- Whether a delivery has entered the indexes by rule and by endpoint. Here it always has:
-- Postgres writes what was changed in an index, and not whole pages as SQLite does.
ALTER TABLE deliveries ADD COLUMN is_listed BIGINT NOT NULL DEFAULT 1;
