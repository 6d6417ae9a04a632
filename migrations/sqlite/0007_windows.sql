-- Of a large window's times those that seldom change, so that an event need not
-- write all of them. Compact: see the domain's `trigger::marks`.
CREATE TABLE trigger_windows (
    tenant  TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    key     TEXT NOT NULL,
    times   BLOB NOT NULL,
    PRIMARY KEY (tenant, rule_id, key),
    -- It goes with the memory of which it is a part.
    FOREIGN KEY (tenant, rule_id, key) REFERENCES trigger_states (tenant, rule_id, key)
        ON DELETE CASCADE
);
