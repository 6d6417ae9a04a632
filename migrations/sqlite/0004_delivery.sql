-- How many times in a row a rule's target must say that it is gone before the
-- rule is switched off.
ALTER TABLE webhook_endpoints ADD COLUMN gone_after BIGINT NOT NULL DEFAULT 1;

-- How often it was said in a row so far. A row is there only while it is.
CREATE TABLE gone_counts (
    tenant              TEXT   NOT NULL,
    webhook_endpoint_id TEXT   NOT NULL,
    alert_rule_id       TEXT   NOT NULL,
    times               BIGINT NOT NULL,
    PRIMARY KEY (tenant, webhook_endpoint_id, alert_rule_id)
) WITHOUT ROWID;
