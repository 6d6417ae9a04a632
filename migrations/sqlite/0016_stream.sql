-- What is told to those who watch a tenant. Used where there are several hosts, which
-- SQLite does not have.
CREATE TABLE news (
    seq  INTEGER PRIMARY KEY,
    at   BIGINT NOT NULL,
    told TEXT   NOT NULL
);

-- Which tenants are watched on which host, and until when unless it says so again.
CREATE TABLE news_watches (
    tenant  TEXT   NOT NULL,
    host_id TEXT   NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (tenant, host_id)
) WITHOUT ROWID;
