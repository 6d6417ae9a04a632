-- What is newest of each ordering key: of the alerts about one thing at a target, only
-- the newest is worth sending, and only one is on its way.
CREATE TABLE ordering_keys (
    tenant       TEXT NOT NULL,
    endpoint_id  TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    -- The newest delivery with this key that was to be sent.
    newest_id    TEXT NOT NULL,
    -- The last one that was let go, and the lease under which it went: it is on its
    -- way for as long as that holds.
    holder_id    TEXT NOT NULL,
    holder_host  TEXT NOT NULL,
    holder_fence BIGINT NOT NULL,
    PRIMARY KEY (tenant, endpoint_id, ordering_key)
);
-- For retention.
CREATE INDEX ordering_keys_by_age ON ordering_keys (tenant, newest_id);
