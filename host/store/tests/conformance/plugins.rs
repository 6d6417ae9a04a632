//! Uploaded plugins, their uses, who may use them, and what they may use.

use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::quota::Quotas;
use alerts_domain::tenant::TenantId;
use alerts_store::{AuditEntry, OperatorChange, PluginGrant, UploadedPlugin};

use crate::fixture::{ada, at, bob, endpoint, entry, rule};
use crate::on_both;

fn uploaded(id: &str, digest: &str) -> UploadedPlugin {
    UploadedPlugin {
        id: id.into(),
        digest: digest.into(),
        uploaded_by: "key_1".into(),
        uploaded_at: at(0),
    }
}

/// An operator who acts for `ada`.
fn noted() -> (TenantId, AuditEntry) {
    (ada(), entry("plugin.changed"))
}

fn by(noted: &(TenantId, AuditEntry)) -> OperatorChange<'_> {
    OperatorChange { tenant: &noted.0, entry: &noted.1, at: at(0) }
}

on_both! {
    async fn what_is_done_to_a_plugin_stands_in_the_log_if_it_was_done_and_only_then(db: Db) {
        let by_ada = noted();
        db.put_plugin(&uploaded("ntfy", "sha256:1"), b"\0asm", &by(&by_ada)).await.unwrap();
        let none = PluginLimits::default();
        db.set_plugin_limits("ntfy", &none, &by(&by_ada)).await.unwrap();
        let grant = PluginGrant { tenant: bob(), hosts: None };
        db.set_plugin_grants("ntfy", std::slice::from_ref(&grant), &by(&by_ada)).await.unwrap();
        db.delete_plugin("ntfy", &by(&by_ada)).await.unwrap();
        assert_eq!(db.list_audit(&ada(), 10, None).await.unwrap().items.len(), 4);

        // The second grant breaks the key: nothing of it is left, nor of its entry.
        let twice = [grant.clone(), grant.clone()];
        db.set_plugin_grants("ntfy", &twice, &by(&by_ada)).await.unwrap_err();
        assert_eq!(db.plugin_grants().await.unwrap(), [("ntfy".to_owned(), grant)]);
        assert_eq!(db.list_audit(&ada(), 10, None).await.unwrap().items.len(), 4);
    }

    async fn an_uploaded_file_reads_back_and_a_newer_one_takes_its_place(db: Db) {
        db.put_plugin(&uploaded("ntfy", "sha256:1"), b"\0asm one", &by(&noted())).await.unwrap();
        db.put_plugin(&uploaded("ntfy", "sha256:2"), b"\0asm two", &by(&noted())).await.unwrap();
        assert_eq!(db.list_plugins().await.unwrap(), [uploaded("ntfy", "sha256:2")]);
        assert_eq!(db.get_plugin_file("ntfy").await.unwrap().unwrap(), b"\0asm two");
        assert_eq!(db.get_plugin_file("other").await.unwrap(), None);
        assert!(db.delete_plugin("ntfy", &by(&noted())).await.unwrap());
        assert!(!db.delete_plugin("ntfy", &by(&noted())).await.unwrap());
    }

    async fn uses_are_counted_over_all_tenants_and_not_for_what_is_deleted(db: Db) {
        let (made, other) = (endpoint(&ada()), endpoint(&bob()));
        for endpoint in [&made, &other] {
            db.create_endpoint(endpoint, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        }
        db.create_rule(&rule(&made), &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        assert_eq!(db.uses_of_plugin("http").await.unwrap(), 2);
        assert_eq!(db.uses_of_plugin("cel").await.unwrap(), 1);
        assert_eq!(db.uses_of_plugin("ce").await.unwrap(), 0);
        db.delete_endpoint(&bob(), other.id, None, &entry("x"), at(1)).await.unwrap();
        assert_eq!(db.uses_of_plugin("http").await.unwrap(), 1);
    }

    async fn grants_are_replaced_as_a_whole(db: Db) {
        let hosts = Some(vec!["ntfy.sh".to_owned()]);
        let first = PluginGrant { tenant: ada(), hosts };
        let second = PluginGrant { tenant: bob(), hosts: None };
        let both = [first.clone(), second.clone()];
        db.set_plugin_grants("ntfy", &both, &by(&noted())).await.unwrap();
        let named = |grant: PluginGrant| ("ntfy".to_owned(), grant);
        assert_eq!(db.plugin_grants().await.unwrap(), both.map(named));
        db.set_plugin_grants("ntfy", std::slice::from_ref(&second), &by(&noted())).await.unwrap();
        assert_eq!(db.plugin_grants().await.unwrap(), [named(second)]);
        db.set_plugin_grants("ntfy", &[], &by(&noted())).await.unwrap();
        assert!(db.plugin_grants().await.unwrap().is_empty());
    }

    async fn limits_are_replaced_as_a_whole_and_gone_when_none_is_set(db: Db) {
        let first = PluginLimits { fuel: Some(50_000_000_000), ..PluginLimits::default() };
        let second = PluginLimits { deadline_ms: Some(7), exchanges: Some(2), ..PluginLimits::default() };
        db.set_plugin_limits("ntfy", &first, &by(&noted())).await.unwrap();
        db.set_plugin_limits("http", &first, &by(&noted())).await.unwrap();
        db.set_plugin_limits("ntfy", &second, &by(&noted())).await.unwrap();
        let limits = db.plugin_limits().await.unwrap();
        assert_eq!(limits, [("http".to_owned(), first), ("ntfy".to_owned(), second)]);
        db.set_plugin_limits("http", &PluginLimits::default(), &by(&noted())).await.unwrap();
        assert_eq!(db.plugin_limits().await.unwrap(), [("ntfy".to_owned(), second)]);
    }
}
