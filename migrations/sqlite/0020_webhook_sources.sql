-- Webhooks in: what other programs post to.
CREATE TABLE webhook_sources (
    id            TEXT NOT NULL PRIMARY KEY,
    tenant        TEXT NOT NULL,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    -- The expressions that make events, as JSON; null for kinds that need none.
    mapping       TEXT,
    -- By what its sender is known.
    sealed_secret TEXT NOT NULL,
    version       BIGINT NOT NULL,
    -- How it goes, as JSON; null before the first request.
    status        TEXT,
    created_by    TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE INDEX webhook_sources_listed ON webhook_sources (tenant, id);
