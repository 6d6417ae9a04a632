-- Every filter that a list takes answers from an index.
--
-- An index holds a delivery from when no host holds it any more: one that is made
-- and sent at once is written into each of them once, and not twice. What is held
-- is little, and found by its holder. Each index ends with the id, which begins
-- with the time: so it is a list in the order in which lists are shown, and a time
-- from or to is a place in it.
DROP INDEX deliveries_dead;
CREATE INDEX deliveries_by_status ON deliveries (tenant, status, id)
    WHERE status <> 'leased';
CREATE INDEX deliveries_by_rule ON deliveries (tenant, alert_rule_id, id)
    WHERE status <> 'leased';
CREATE INDEX deliveries_by_endpoint ON deliveries (tenant, webhook_endpoint_id, id)
    WHERE status <> 'leased';
CREATE INDEX deliveries_by_event ON deliveries (tenant, event_id, id)
    WHERE status <> 'leased';
DROP INDEX deliveries_leased;
CREATE INDEX deliveries_leased ON deliveries (lease_host, tenant, id) WHERE status = 'leased';

CREATE INDEX events_by_type ON events (tenant, event_type, id);
DROP INDEX events_pending;
CREATE INDEX events_pending ON events (id) WHERE pending_rules IS NOT NULL;

-- What is deleted softly stays on record, and must not be walked over for ever.
CREATE INDEX webhook_endpoints_listed ON webhook_endpoints (tenant, id)
    WHERE deleted_at IS NULL;
CREATE INDEX alert_rules_listed ON alert_rules (tenant, id) WHERE deleted_at IS NULL;

-- Which language a rule's condition is in, so that a plugin's uses can be counted.
ALTER TABLE alert_rules ADD COLUMN condition_language TEXT COLLATE "C";
-- By its text, as it was always written: Postgres takes no JSON apart without
-- failing at what is none, and a condition that does not read must not keep the
-- others from being brought up to date.
UPDATE alert_rules SET condition_language =
    substring(condition FROM '^\{"language":"([^"\\]+)"');
CREATE INDEX alert_rules_by_language ON alert_rules (condition_language)
    WHERE deleted_at IS NULL;
CREATE INDEX webhook_endpoints_by_target ON webhook_endpoints (target)
    WHERE deleted_at IS NULL;

-- Raised by everything that is written into the tenant's audit log: whoever raises
-- it holds the tenant's row, and is alone at the end of that log. `revision` is
-- raised by changes of endpoints, rules and the operator's marks alone, which are
-- what hosts keep in memory.
ALTER TABLE tenants ADD COLUMN audit_revision BIGINT NOT NULL DEFAULT 0;
