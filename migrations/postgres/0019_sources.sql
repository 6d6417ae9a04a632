-- What events come from, beside those that are posted: platforms that a host watches.
CREATE TABLE sources (
    id     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Where it is; what is remembered of another place is of no use.
    url    TEXT NOT NULL,
    -- The host that watches it; null when none does.
    host   TEXT,
    -- Which watch this is: a watcher with an older number can write nothing.
    fence  BIGINT NOT NULL,
    -- Changes while the watcher lives.
    beats  BIGINT NOT NULL,
    -- How the watch goes, as JSON; null before the first look.
    status TEXT
);

-- What the watcher remembers of a namespace, as JSON.
CREATE TABLE watched_namespaces (
    source TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    memory TEXT NOT NULL,
    PRIMARY KEY (source, name)
);

-- What it remembers of a run.
CREATE TABLE watched_runs (
    source     TEXT COLLATE "C" NOT NULL,
    namespace  TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    -- When the platform made it, by its wall clock, in microseconds: its runs are
    -- listed by this.
    created_us BIGINT NOT NULL,
    -- Its number in that list, counted from the end, when it was last seen.
    ordinal    BIGINT NOT NULL,
    -- How often it was not where it was looked for since.
    misses     BIGINT NOT NULL,
    -- Whether it is still looked at: it is under way, or what became of it is not sure.
    is_open    BIGINT NOT NULL,
    memory     TEXT NOT NULL,
    PRIMARY KEY (source, namespace, run_id)
);

CREATE INDEX watched_runs_open ON watched_runs (source, namespace, ordinal) WHERE is_open = 1;
CREATE INDEX watched_runs_closed ON watched_runs (source, namespace, created_us)
    WHERE is_open = 0;

-- Events that the watcher has made, until the intake has them.
CREATE TABLE source_events (
    source TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (source, number)
);
