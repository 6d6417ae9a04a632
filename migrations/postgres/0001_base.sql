-- Times are microseconds since the Unix epoch, booleans are 0 or 1, JSON is TEXT.
-- What is sorted or walked in order sorts as bytes (collation "C"), as in SQLite.
-- Every key begins with the tenant, so that no query can forget whose rows it reads.

CREATE TABLE tenants (
    tenant   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Raised by every change of the tenant's endpoints and rules.
    revision BIGINT NOT NULL
);

CREATE TABLE webhook_endpoints (
    tenant             TEXT COLLATE "C" NOT NULL,
    id                 TEXT COLLATE "C" NOT NULL,
    name               TEXT   NOT NULL,
    target_url         TEXT   NOT NULL,
    target             TEXT   NOT NULL,
    settings           TEXT   NOT NULL,
    headers            TEXT   NOT NULL,
    is_active          BIGINT NOT NULL,
    include_event_data BIGINT NOT NULL,
    rate_limit         TEXT,
    sealed_secrets     TEXT   NOT NULL,
    version            BIGINT NOT NULL,
    created_by         TEXT   NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    deleted_at         BIGINT,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE alert_rules (
    tenant               TEXT COLLATE "C" NOT NULL,
    id                   TEXT COLLATE "C" NOT NULL,
    name                 TEXT   NOT NULL,
    event_type           TEXT   NOT NULL,
    condition            TEXT,
    webhook_endpoint_id  TEXT COLLATE "C" NOT NULL,
    trigger_spec         TEXT   NOT NULL,
    retry_policy         TEXT   NOT NULL,
    rate_limit           TEXT,
    is_active            BIGINT NOT NULL,
    disabled_reason      TEXT,
    last_condition_error TEXT,
    created_by           TEXT   NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    deleted_at           BIGINT,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE events (
    tenant        TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    source        TEXT   NOT NULL,
    event_id      TEXT   NOT NULL,
    event_type    TEXT   NOT NULL,
    received_at   BIGINT NOT NULL,
    body          BYTEA   NOT NULL,
    -- What became of each rule that looked at it.
    matches       TEXT   NOT NULL,
    -- The rules that are still to be asked, while there are any.
    pending_rules TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, source, event_id)
);
CREATE INDEX events_pending ON events (received_at) WHERE pending_rules IS NOT NULL;

CREATE TABLE deliveries (
    tenant              TEXT COLLATE "C" NOT NULL,
    id                  TEXT COLLATE "C" NOT NULL,
    event_id            TEXT   NOT NULL,
    alert_rule_id       TEXT,
    rule_name           TEXT   NOT NULL,
    trigger_figures     TEXT   NOT NULL,
    webhook_endpoint_id TEXT COLLATE "C" NOT NULL,
    status              TEXT   NOT NULL,
    attempt_count       BIGINT NOT NULL,
    next_attempt_at     BIGINT,
    last_error          TEXT,
    redrive_of          TEXT,
    created_at          BIGINT NOT NULL,
    finished_at         BIGINT,
    lease_host          TEXT,
    -- Counts claims: a worker with an older number can write nothing.
    lease_fence         BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
) WITH (
    -- A row is written when its rule fires and again when it is finished: the
    -- second version should find room on the same page.
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02
);
-- One endpoint's due work, and what is due first of all.
CREATE INDEX deliveries_due_by_endpoint ON deliveries (webhook_endpoint_id, next_attempt_at)
    WHERE status = 'scheduled';
CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE status = 'scheduled';
CREATE INDEX deliveries_leased ON deliveries (lease_host) WHERE status = 'leased';
CREATE INDEX deliveries_dead ON deliveries (tenant, id) WHERE status = 'dead';
CREATE INDEX deliveries_redriven ON deliveries (tenant, redrive_of) WHERE redrive_of IS NOT NULL;

CREATE TABLE attempts (
    tenant           TEXT COLLATE "C" NOT NULL,
    delivery_id      TEXT   NOT NULL,
    number           BIGINT NOT NULL,
    started_at       BIGINT NOT NULL,
    duration_ms      BIGINT NOT NULL,
    status_code      BIGINT,
    verdict          TEXT   NOT NULL,
    error            TEXT,
    plugin_digest    TEXT   NOT NULL,
    endpoint_version BIGINT NOT NULL,
    -- Requests and answers, references in place of secrets.
    exchanges        TEXT   NOT NULL,
    PRIMARY KEY (tenant, delivery_id, number)
);

CREATE TABLE hosts (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

-- Each entry's hash covers the one before it, for each tenant a chain of its own.
CREATE TABLE audit (
    tenant   TEXT COLLATE "C" NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    action   TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    detail   TEXT   NOT NULL,
    hash     TEXT   NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- Answers to requests that carried an Idempotency-Key, encrypted: a new
-- endpoint's answer holds its signing secret.
CREATE TABLE idempotency_keys (
    tenant      TEXT COLLATE "C" NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    status      BIGINT,
    sealed_body TEXT,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Keys are known by their digest alone.
CREATE TABLE api_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- None for a platform key, which acts for any tenant.
    tenant     TEXT,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    digest     TEXT   NOT NULL UNIQUE,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
