-- Which configuration has made it; null when a person did.
ALTER TABLE webhook_endpoints ADD COLUMN managed_by TEXT;
ALTER TABLE alert_rules ADD COLUMN managed_by TEXT;
