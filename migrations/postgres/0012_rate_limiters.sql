-- Rate limiters that hold something back, as a host last had them: a limit must hold
-- across a restart.
CREATE TABLE rate_limiters (
    scope   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- When it holds nothing back any more.
    free_at BIGINT NOT NULL
);
