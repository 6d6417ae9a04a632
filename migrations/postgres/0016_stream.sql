-- What is told to those who watch a tenant, until every host has read it.
CREATE TABLE news (
    seq  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at   BIGINT NOT NULL,
    told TEXT   NOT NULL
);

-- Which tenants are watched on which host, and until when unless it says so again.
CREATE TABLE news_watches (
    tenant  TEXT COLLATE "C" NOT NULL,
    host_id TEXT COLLATE "C" NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (tenant, host_id)
);
