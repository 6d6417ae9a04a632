-- Uploaded plugin files: in the database, so that every host has them.
CREATE TABLE plugins (
    id          TEXT   NOT NULL PRIMARY KEY,
    digest      TEXT   NOT NULL,
    wasm        BLOB   NOT NULL,
    uploaded_by TEXT   NOT NULL,
    uploaded_at BIGINT NOT NULL
);

-- Who may use a plugin, and where it may send for them. A plugin without a row
-- is open to every tenant.
CREATE TABLE plugin_grants (
    plugin_id TEXT NOT NULL,
    tenant    TEXT NOT NULL,
    -- Host names instead of those in the manifest, as a JSON array, or null.
    hosts     TEXT NOT NULL,
    PRIMARY KEY (plugin_id, tenant)
) WITHOUT ROWID;
