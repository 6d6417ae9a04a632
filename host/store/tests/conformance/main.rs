//! One body for each behaviour, run on SQLite and on Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accept;
mod audit;
mod backups;
mod claim;
mod damaged;
mod deliveries;
mod endpoints;
mod events;
mod files;
mod finish;
mod fixture;
mod full_disk;
mod hosts;
mod keys;
mod locks;
mod migrations;
mod moving;
mod older_runs;
mod ordering;
mod outages;
mod pages;
mod pending;
mod plugins;
mod portal_links;
mod quotas;
mod rate_limiters;
mod recoveries;
mod redrive;
mod retention;
mod rules;
mod sealed;
mod sessions;
mod sources;
mod stats;
mod strays;
mod tenants;
mod timers;
mod triggers;
mod watching;
mod webhook_sources;

/// Makes two tests of each function: one for each database.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block)*) => {
        $(async fn $name($db: crate::fixture::Db) $body)*

        mod sqlite {
            $($(#[$meta])* #[tokio::test] async fn $name() {
                super::$name(crate::fixture::Db::sqlite().await).await;
            })*
        }

        mod postgres {
            $($(#[$meta])* #[tokio::test] async fn $name() {
                super::$name(crate::fixture::Db::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;
