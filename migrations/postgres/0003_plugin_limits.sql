-- What an operator grants a plugin in place of the host's defaults: a JSON object
-- with the limits that are set.
CREATE TABLE plugin_limits (
    plugin_id TEXT NOT NULL PRIMARY KEY,
    limits    TEXT NOT NULL
);
