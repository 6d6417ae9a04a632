-- A list of a tenant's keys, or of the platform's.
ALTER TABLE api_keys ALTER COLUMN id TYPE TEXT COLLATE "C";
CREATE INDEX api_keys_of_tenant ON api_keys (tenant, id);

-- Counts how often a key was taken: who took it earlier can finish nothing.
ALTER TABLE idempotency_keys ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
-- The id of what the request has changed, written by that change.
ALTER TABLE idempotency_keys ADD COLUMN done TEXT;

-- One row: a JSON object with a sealed value for each encryption key in use, by the
-- key's id. A host that cannot open them has the wrong keys.
CREATE TABLE encryption_checks (
    checks TEXT NOT NULL
);
INSERT INTO encryption_checks (checks) VALUES ('{}');
