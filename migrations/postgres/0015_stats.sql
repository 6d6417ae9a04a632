-- What each commit counts, written with it, until it is added to `stats`: one row for a
-- whole group of writes, so that counting costs the commit next to nothing.
CREATE TABLE stats_tallies (
    seq   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tally TEXT   NOT NULL
);

-- The figures of each step of time: of a tenant, and of each of its endpoints, rules
-- and types of events.
CREATE TABLE stats (
    tenant     TEXT COLLATE "C" NOT NULL,
    -- `all`, or the name of what `subject` is.
    counted_by TEXT COLLATE "C" NOT NULL,
    -- `minute`, `hour` or `day`, and when it begins.
    step       TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    -- An endpoint's or a rule's id, a type of events; empty for `all`.
    subject    TEXT COLLATE "C" NOT NULL,
    figures    TEXT   NOT NULL,
    PRIMARY KEY (tenant, counted_by, step, at, subject)
) WITH (
    -- The rows of the newest steps are written again and again: the next version
    -- should find room on the same page.
    fillfactor = 70
);
-- For retention.
CREATE INDEX stats_by_age ON stats (step, at);
