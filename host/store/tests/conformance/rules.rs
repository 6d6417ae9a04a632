//! Alert rules, as they were stored.

use alerts_domain::quota::Quotas;
use alerts_domain::rule::AlertRule;
use alerts_store::{ConditionError, NewDelivery, RuleFirings, TriggerChange};

use crate::fixture::{ada, at, bob, delivery, endpoint, entry, event, rule};
use crate::on_both;

on_both! {
    async fn a_rule_reads_back_and_belongs_to_its_tenant(db: Db) {
        let made = rule(&endpoint(&ada()));
        db.create_rule(&made, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        assert_eq!(db.get_rule(&ada(), made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(db.get_rule(&bob(), made.id).await.unwrap(), None);
        let active = db.active_tenant(&ada()).await.unwrap();
        assert_eq!(active.rules, std::slice::from_ref(&made));
        let listed = db.list_rules(&ada(), 10, None).await.unwrap();
        assert_eq!(listed.items, [made]);
    }

    async fn of_two_changes_of_one_reading_the_second_is_refused(db: Db) {
        let mut made = rule(&endpoint(&ada()));
        db.create_rule(&made, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        made.updated_at = at(1);
        assert!(db.update_rule(&made, at(0), TriggerChange::None, &entry("x"), at(1)).await.unwrap());
        assert!(!db.update_rule(&made, at(0), TriggerChange::None, &entry("x"), at(1)).await.unwrap());
    }

    async fn condition_errors_are_shown_on_their_rules_and_change_nothing_else(db: Db) {
        let (mut made, changed) = (rule(&endpoint(&ada())), rule(&endpoint(&bob())));
        db.create_rule(&made, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        db.create_rule(&changed, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        let revision = db.active_tenant(&ada()).await.unwrap().revision;
        let error = |of: &AlertRule, rule_updated_at| ConditionError {
            tenant: of.tenant.clone(),
            rule: of.id,
            rule_updated_at,
            error: "no such field".into(),
        };
        // The second was asked before its condition was changed.
        let errors = [error(&changed, at(-1)), error(&made, at(0))];
        db.record_condition_errors(&errors).await.unwrap();
        assert_eq!(db.get_rule(&bob(), changed.id).await.unwrap(), Some(changed));
        made.last_condition_error = Some("no such field".into());
        assert_eq!(db.get_rule(&ada(), made.id).await.unwrap(), Some(made));
        assert_eq!(db.active_tenant(&ada()).await.unwrap().revision, revision);
    }

    async fn a_deleted_rule_looks_at_no_events(db: Db) {
        let made = rule(&endpoint(&ada()));
        db.create_rule(&made, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        assert!(!db.delete_rule(&bob(), made.id, None, &entry("x"), at(1)).await.unwrap());
        assert!(db.delete_rule(&ada(), made.id, None, &entry("x"), at(1)).await.unwrap());
        assert!(!db.delete_rule(&ada(), made.id, None, &entry("x"), at(1)).await.unwrap());
        assert!(db.active_tenant(&ada()).await.unwrap().rules.is_empty());
        assert!(db.list_rules(&ada(), 10, None).await.unwrap().items.is_empty());
    }

    async fn a_rule_knows_when_it_fired_and_how_often(db: Db) {
        let target = endpoint(&ada());
        let (fired, idle) = (rule(&target), rule(&target));
        for made in [&fired, &idle] {
            db.create_rule(made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        }
        for (n, second) in [(1, 0), (2, 7200), (3, 7260)] {
            let mut new = event(&ada(), &n.to_string());
            new.received_at = at(second);
            let delivery = delivery(&new, target.id, fired.id);
            new.deliveries.push(NewDelivery { delivery, lease: None });
            db.accept(vec![new]).await.unwrap();
        }
        while db.add_up_stats().await.unwrap() {}
        let ids = [fired.id, idle.id];
        let firings = db.rule_firings(&ada(), &ids, at(7200)).await.unwrap();
        assert_eq!(firings[&fired.id], RuleFirings { last_fired_at: Some(at(7260)), since: 2 });
        assert_eq!(firings[&idle.id], RuleFirings::default());
        assert!(db.rule_firings(&bob(), &ids, at(0)).await.unwrap().is_empty());
    }
}
