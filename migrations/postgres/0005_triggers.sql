-- What a rule remembers between two events: of a run, or of a group of events.
CREATE TABLE trigger_states (
    tenant    TEXT COLLATE "C" NOT NULL,
    rule_id   TEXT COLLATE "C" NOT NULL,
    -- The run, or the group.
    key       TEXT COLLATE "C" NOT NULL,
    state     TEXT   NOT NULL,
    -- When a run that is watched has taken too long.
    due_at    BIGINT,
    -- The event with which that run started.
    event_id  TEXT,
    -- From when on it says nothing any more.
    forget_at BIGINT,
    PRIMARY KEY (tenant, rule_id, key)
) WITH (fillfactor = 70);
CREATE INDEX trigger_states_due ON trigger_states (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX trigger_states_forget ON trigger_states (forget_at) WHERE forget_at IS NOT NULL;

-- Whether alerts are open to it while they are not open to all, and how many may
-- leave for it.
ALTER TABLE tenants ADD COLUMN is_beta BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN rate_limit TEXT;
