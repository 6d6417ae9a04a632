-- Deliveries enter the indexes by rule and by endpoint some hundred at a time, behind
-- the commit that made them. Each commit would else change two pages for every rule
-- and every endpoint in it; what is not in them yet is the newest, and is little. In
-- them a delivery is whatever its state, so that a change of state leaves them alone.
ALTER TABLE deliveries ADD COLUMN is_listed BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries SET is_listed = 1;
DROP INDEX deliveries_by_rule;
CREATE INDEX deliveries_by_rule ON deliveries (tenant, alert_rule_id, id)
    WHERE is_listed = 1;
DROP INDEX deliveries_by_endpoint;
CREATE INDEX deliveries_by_endpoint ON deliveries (tenant, webhook_endpoint_id, id)
    WHERE is_listed = 1;
CREATE INDEX deliveries_unlisted ON deliveries (tenant, id) WHERE is_listed = 0;
