-- What is newest of each ordering key: of the alerts about one thing at a target, only
-- the newest is worth sending, and only one is on its way.
CREATE TABLE ordering_keys (
    tenant       TEXT COLLATE "C" NOT NULL,
    endpoint_id  TEXT COLLATE "C" NOT NULL,
    ordering_key TEXT COLLATE "C" NOT NULL,
    -- The newest delivery with this key that was to be sent.
    newest_id    TEXT COLLATE "C" NOT NULL,
    -- The last one that was let go, and the lease under which it went: it is on its
    -- way for as long as that holds.
    holder_id    TEXT COLLATE "C" NOT NULL,
    holder_host  TEXT COLLATE "C" NOT NULL,
    holder_fence BIGINT NOT NULL,
    PRIMARY KEY (tenant, endpoint_id, ordering_key)
);
-- For retention.
CREATE INDEX ordering_keys_by_age ON ordering_keys (tenant, newest_id);
