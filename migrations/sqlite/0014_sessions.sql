-- People in a browser. Of the token in the cookie only a digest is kept.
CREATE TABLE sessions (
    id         TEXT NOT NULL PRIMARY KEY,
    digest     TEXT NOT NULL UNIQUE,
    -- The key that it was opened with, or that made its portal link. It ends with it.
    api_key_id TEXT NOT NULL,
    -- What the portal link said that opened it, as JSON; none if a key did.
    portal     TEXT,
    -- None for a platform key's, which acts for any tenant.
    tenant     TEXT,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_of_key ON sessions (api_key_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Links that nobody has opened yet: one that is opened becomes a session.
CREATE TABLE portal_links (
    id         TEXT NOT NULL PRIMARY KEY,
    digest     TEXT NOT NULL UNIQUE,
    -- The key that made it. It ends with it.
    api_key_id TEXT NOT NULL,
    -- What it says to the page that it opens, as JSON.
    portal     TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX portal_links_of_key ON portal_links (api_key_id, id);
CREATE INDEX portal_links_of_tenant ON portal_links (tenant, id);
CREATE INDEX portal_links_by_end ON portal_links (expires_at);
