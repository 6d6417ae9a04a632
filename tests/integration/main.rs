//! The whole host from outside: one file for each feature, on real sockets,
//! real plugins and a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alerting;
mod api_description;
mod api_keys;
mod at_a_glance;
mod backtest;
mod backups;
mod cloud_events;
mod conditions;
mod configuration;
mod connections;
mod crash;
mod dashboard;
mod database;
mod delivering;
mod demo;
mod docs;
mod drafts;
mod encryption_keys;
mod exosphere;
mod failing_targets;
mod failure_webhook;
mod first_start;
#[path = "../../host/sandbox/tests/behaviour/guest.rs"]
#[expect(dead_code, reason = "the sandbox's own tests use more of it")]
mod guest;
mod hang_ups;
mod hostile_neighbours;
mod idempotency;
mod intake;
mod isolation;
mod key_rotation;
mod listening;
mod messages;
mod moving_up;
mod ordering;
mod own_trouble;
mod plugin_files;
mod plugin_folder;
mod plugin_limits;
mod plugin_texts;
mod plugin_upgrades;
mod plugins;
mod portal_links;
mod problems;
mod process;
mod recoveries;
mod refusals;
mod resources;
mod retention;
mod retries;
mod rollout;
mod run_links;
mod runs;
mod secrets;
mod sessions;
mod stats;
mod stream;
mod supervision;
mod support;
mod tenants;
mod tls;
mod told_of_changes;
mod triggers;
mod versions;
mod waiting;
mod webhooks_in;
