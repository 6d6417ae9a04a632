//! Reads how both databases would run what lists, redrive and retention ask, on
//! tables in which the wrong way is a long one.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, HostId, RuleId};
use alerts_domain::stats::Step;
use alerts_domain::tenant::TenantId;
use alerts_test_support::postgres::fresh_database;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::counted_by::CountedBy;
use crate::delivery_list::DeliveryFilter;
use crate::dialect::Dialect;
use crate::events::{EventFilter, scan_keys};
use crate::insert::insert_made;
use crate::new_event::{NewDelivery, NewEvent};
use crate::open::Store;
use crate::redrive::{RedriveScope, find};
use crate::retention::{Kept, removal, tenants_with_old};
use crate::statement::Statement;
use crate::stats::{self, StatsQuery};
use crate::{audit_log, delivery_counts, endpoints, pending, rule_firings, rules, unlisted};

/// Enough that no planner takes all of them for a short way.
const EVENTS: i64 = 20_000;
/// What is rare is among the oldest: whoever walks from the newest passes all others.
const RARE: i64 = 60;
const LIMIT: u32 = 50;
/// Rows that a statement of [`LIMIT`] rows may touch, over all its steps.
const MOST: i64 = 600;
const TABLES: [&str; 7] =
    ["deliveries", "events", "attempts", "audit", "alert_rules", "webhook_endpoints", "stats"];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn rule(n: u128) -> RuleId {
    RuleId::new(at(0), n)
}

fn endpoint(n: u128) -> EndpointId {
    EndpointId::new(at(0), n)
}

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

/// An event of this second with a delivery. The oldest are of another type, rule and
/// endpoint, and in each of the states.
fn sent(tenant: &TenantId, second: i64) -> NewEvent {
    let is_rare = second < RARE;
    let event_type = if is_rare { "rare" } else { "common" };
    let body = json!({"specversion": "1.0", "id": second.to_string(), "source": "/s",
        "type": event_type});
    let status = match second % 6 {
        _ if !is_rare => DeliveryStatus::Delivered,
        0 => DeliveryStatus::Scheduled,
        1 => DeliveryStatus::Leased,
        2 => DeliveryStatus::Dead,
        3 => DeliveryStatus::Canceled,
        4 => DeliveryStatus::Skipped,
        _ => DeliveryStatus::Delivered,
    };
    let lease =
        (status == DeliveryStatus::Leased).then(|| Lease { host: HostId::new(at(0), 1), fence: 1 });
    let delivery = Delivery {
        id: DeliveryId::new(at(second), 1),
        tenant: tenant.clone(),
        event_id: EventId::new(at(second), 1),
        alert_rule_id: Some(rule(is_rare.into())),
        rule_name: "Failures".into(),
        trigger: json!({"type": "event"}),
        webhook_endpoint_id: endpoint(is_rare.into()),
        status,
        attempt_count: 1,
        next_attempt_at: (status == DeliveryStatus::Scheduled).then(|| at(second)),
        last_error: None,
        redrive_of: None,
        created_at: at(second),
        finished_at: status.is_terminal().then(|| at(second)),
    };
    NewEvent {
        id: EventId::new(at(second), 1),
        tenant: tenant.clone(),
        event: Event::from_structured(body.to_string().into()).unwrap(),
        received_at: at(second),
        outcomes: Vec::new(),
        pending_rules: (second % 10_000 == 7).then(|| vec![rule(0)]),
        deliveries: vec![NewDelivery { delivery, lease }],
        observations: Vec::new(),
    }
}

async fn fill(store: &Store) {
    let mut transaction = store.begin().await.unwrap();
    for (tenant, count) in [("ada", EVENTS), ("bob", EVENTS / 10)] {
        let tenant = TenantId::new(tenant).unwrap();
        let events: Vec<NewEvent> = (0..count).map(|second| sent(&tenant, second)).collect();
        insert_made(&mut transaction, &events, &mut store.ledger()).await.unwrap();
    }
    let (id, other) = (rule(0), endpoint(0));
    for statement in [
        "INSERT INTO audit (tenant, seq, at, actor, action, resource, detail, hash)
         SELECT tenant, attempt_count + row_number() OVER (ORDER BY id), 0, '', '', id, '', ''
         FROM deliveries WHERE tenant = 'ada'"
            .to_owned(),
        "INSERT INTO attempts (tenant, delivery_id, number, started_at, duration_ms, verdict,
            plugin_digest, endpoint_version, exchanges)
         SELECT tenant, id, 1, 0, 0, 'delivered', '', 1, '[]' FROM deliveries"
            .to_owned(),
        "INSERT INTO ordering_keys
         SELECT tenant, webhook_endpoint_id, id, id, id, '', 1 FROM deliveries"
            .to_owned(),
        "INSERT INTO stats
         SELECT tenant, 'event_type', step, created_at, 'type-' || attempt_count, '{}'
         FROM deliveries CROSS JOIN (SELECT 'minute' AS step UNION ALL SELECT 'hour') AS steps"
            .to_owned(),
        // Nearly all of them deleted.
        format!(
            "INSERT INTO alert_rules (tenant, id, name, event_type, condition_language,
                webhook_endpoint_id, trigger_spec, retry_policy, is_active, created_by,
                created_at, updated_at, deleted_at)
             SELECT tenant, '{id}' || id, '', 'common', 'cel', '{other}', '', '', 1, '', 0, 0,
                CASE WHEN status = 'delivered' THEN 1 END
             FROM deliveries WHERE tenant = 'ada'"
        ),
        format!(
            "INSERT INTO webhook_endpoints (tenant, id, name, target_url, target, settings,
                headers, is_active, include_event_data, sealed_secrets, version, created_by,
                created_at, updated_at, deleted_at)
             SELECT tenant, '{other}' || id, '', '', 'http', '{{}}', '{{}}', 1, 0, '', 1, '', 0, 0,
                CASE WHEN status = 'delivered' THEN 1 END
             FROM deliveries WHERE tenant = 'ada'"
        ),
    ] {
        transaction.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    transaction.commit().await.unwrap();
    // All but the newest, as on a host that is not busy.
    while store.list_deliveries_behind(1000).await.unwrap() {}
}

/// Statements, each with the index that SQLite should answer it from. Postgres
/// chooses by what it knows of the rows, and is judged by how many it reads.
fn asked(dialect: Dialect) -> BTreeMap<String, (Statement, &'static str)> {
    let tenant = &ada();
    let mut asked = BTreeMap::new();
    let any = DeliveryFilter::default;
    let mut filters = vec![
        ("none".to_owned(), any(), "deliveries_pkey"),
        (
            "alert_rule_id".into(),
            DeliveryFilter { alert_rule_id: Some(rule(1)), ..any() },
            "deliveries_by_rule",
        ),
        (
            "webhook_endpoint_id".into(),
            DeliveryFilter { webhook_endpoint_id: Some(endpoint(1)), ..any() },
            "deliveries_by_endpoint",
        ),
        (
            "event_id".into(),
            DeliveryFilter { event_id: Some(EventId::new(at(1), 1)), ..any() },
            "deliveries_by_event",
        ),
    ];
    for status in DeliveryStatus::ALL {
        let index = match status {
            DeliveryStatus::Leased => "deliveries_leased",
            _ => "deliveries_by_status",
        };
        let filter = DeliveryFilter { status: Some(status), ..any() };
        filters.push((format!("status={}", status.as_str()), filter, index));
    }
    let (middle, newest) = (at(EVENTS / 2), at(EVENTS));
    // Each filter with each end of a page: a cursor, a time from, a time to.
    let ends = [
        ("", None, None, None),
        (" before", Some(middle), None, None),
        (" from", None, Some(middle), None),
        (" to", None, None, Some(middle)),
        (" before from to", Some(middle), Some(at(0)), Some(newest)),
    ];
    for (name, filter, index) in filters {
        for (end, before, from, to) in ends {
            let filter = DeliveryFilter { from, to, ..filter.clone() };
            let before = before.map(|before| DeliveryId::new(before, 1));
            let statement = filter.keys(dialect, tenant, before, LIMIT);
            asked.insert(format!("deliveries {name}{end}"), (statement, index));
        }
    }
    for (event_type, index) in
        [(None, "events_pkey"), (Some("rare"), "events_by_type"), (Some("none"), "events_by_type")]
    {
        for (end, before, from, to) in ends {
            let filter = EventFilter { event_type: event_type.map(str::to_owned), from, to };
            let before = before.map(|before| EventId::new(before, 1));
            let statement = filter.keys(dialect, tenant, before, LIMIT);
            asked.insert(format!("events {event_type:?}{end}"), (statement, index));
        }
    }
    let (first, last) = (EventId::new(at(0), 0), EventId::new(newest, 0));
    for types in [&["rare".to_owned()] as &[_], &["common".to_owned(), "rare".to_owned()]] {
        let statement = scan_keys(dialect, tenant, types, first, last, LIMIT);
        asked.insert(format!("backtest {types:?}"), (statement, "events_by_type"));
    }
    let mut add = |name: &str, statement: Statement, index: &'static str| {
        asked.insert(name.to_owned(), (statement, index));
    };
    add("backtest", scan_keys(dialect, tenant, &[], first, last, LIMIT), "events_pkey");
    add("pending", pending::keys(None, LIMIT), "events_pending");
    add("pending, old", pending::old(newest, LIMIT), "events_pending");
    add("audit", audit_log::keys(tenant, None, LIMIT), "audit_pkey");
    add("audit before", audit_log::keys(tenant, Some(EVENTS / 2), LIMIT), "audit_pkey");
    for before in [None, Some(7)] {
        let rules = rules::keys(dialect, tenant, before.map(rule), LIMIT);
        add(&format!("rules {before:?}"), rules, "alert_rules_listed");
        let endpoints = endpoints::keys(dialect, tenant, before.map(endpoint), LIMIT);
        add(&format!("endpoints {before:?}"), endpoints, "webhook_endpoints_listed");
    }
    for (name, alert_rule_id, from) in
        [("", None, None), (" of a rule", Some(rule(1)), None), (" from", None, Some(middle))]
    {
        let scope = RedriveScope::Dead { alert_rule_id, from, to: None };
        let statement = find(dialect, tenant, &scope);
        add(&format!("redrive{name}"), statement, "deliveries_by_status");
    }
    let filter = DeliveryFilter { webhook_endpoint_id: Some(endpoint(1)), ..any() };
    for (name, filter) in [("", any()), (" to an endpoint", filter)] {
        let statement = delivery_counts::counts(dialect, tenant, &filter, 50);
        add(&format!("counts{name}"), statement, "deliveries_by_status");
    }
    let ids = [rule(0).to_string(), rule(1).to_string()];
    let newest = rule_firings::newest(dialect, tenant, &ids);
    add("newest of rules", newest, "deliveries_by_rule");
    if dialect == Dialect::Sqlite {
        let unlisted = rule_firings::newest_unlisted(dialect, tenant, &ids);
        add("newest of rules, unlisted", unlisted, "deliveries_unlisted");
    }
    for subject in [None, Some("type-1".to_owned())] {
        let name = format!("stats {subject:?}");
        let (by, step) = (CountedBy::EventType, Step::Minute);
        let query = StatsQuery { by, subject, step, from: middle, to: at(EVENTS / 2 + 100) };
        add(&name, stats::rows(tenant, &query, LIMIT), "stats_pkey");
    }
    if dialect == Dialect::Sqlite {
        add("entering", unlisted::entering(LIMIT), "deliveries_unlisted");
    }
    add("stats removed", stats::removal(dialect, Step::Hour, at(100), 50), "stats_by_age");
    for (kept, index) in [
        (Kept::Attempts, "attempts_pkey"),
        (Kept::Deliveries, "deliveries_pkey"),
        (Kept::Events, "events_pkey"),
        (Kept::OrderingKeys, "ordering_keys_by_age"),
    ] {
        let word = kept.word();
        add(&format!("{word} removed"), removal(dialect, kept, tenant, at(100), 50), index);
        add(&format!("{word}, tenants"), tenants_with_old(kept, at(100)), index);
    }
    asked
}

/// SQLite names a primary key's index otherwise.
fn sqlite_name(index: &str) -> String {
    match index.strip_suffix("_pkey") {
        Some("deliveries" | "stats") => "PRIMARY KEY".to_owned(),
        Some(table) => format!("sqlite_autoindex_{table}_1"),
        None => index.to_owned(),
    }
}

async fn sqlite_complaints(store: &Store) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, (statement, index)) in asked(Dialect::Sqlite) {
        let plan = statement.explained("EXPLAIN QUERY PLAN ").build();
        let plan = plan.fetch_all(store.reader()).await.unwrap();
        let lines: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let index = sqlite_name(index);
        let is_walked = lines.iter().any(|line| {
            let table = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            // What waits for its language, or to enter an index, is walked from the oldest on.
            let is_meant =
                ["events_pending", "deliveries_unlisted"].iter().any(|index| line.contains(index));
            table.is_some_and(|table| TABLES.contains(&table)) && !is_meant
        });
        if is_walked || !lines.iter().any(|line| line.contains(&index)) {
            complaints.push(format!("{name}, not by {index}:\n    {}", lines.join("\n    ")));
        }
    }
    complaints
}

async fn postgres_complaints(store: &Store) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, (statement, _)) in asked(Dialect::Postgres) {
        let mut transaction = store.begin().await.unwrap();
        let explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ";
        let plan = statement.explained(explain).build();
        let plan: Vec<AnyRow> = plan.fetch_all(&mut *transaction).await.unwrap();
        // What is analyzed is run, and must be undone.
        drop(transaction);
        let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let sum = |word: &str| -> i64 { lines.iter().map(|line| number_after(line, word)).sum() };
        let read = lines.iter().filter(|line| line.contains("Scan"));
        let read = read
            .map(|line| number_after(line, "actual rows=") * number_after(line, "loops=").max(1));
        let read = read.sum::<i64>() + sum("Rows Removed by Filter: ");
        if lines.iter().any(|line| line.contains("Seq Scan")) || read > MOST {
            complaints.push(format!("{name} reads {read} rows:\n    {}", lines.join("\n    ")));
        }
    }
    complaints
}

fn number_after(line: &str, word: &str) -> i64 {
    let rest = line.split(word).nth(1).unwrap_or_default();
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[tokio::test]
async fn every_list_is_answered_from_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("alerts.db").display());
    let store = Store::open(&url).await.unwrap();
    fill(&store).await;
    let complaints = sqlite_complaints(&store).await;
    assert!(complaints.is_empty(), "without statistics:\n{}", complaints.join("\n"));
    sqlx::AnyConnection::connect(&url).await.unwrap().execute("ANALYZE").await.unwrap();
    let store = Store::open(&reopened(store, &url).await).await.unwrap();
    let complaints = sqlite_complaints(&store).await;
    assert!(complaints.is_empty(), "with statistics:\n{}", complaints.join("\n"));
}

/// Statistics are read when a connection is opened.
async fn reopened(store: Store, url: &str) -> String {
    store.close().await;
    url.to_owned()
}

#[tokio::test]
async fn every_list_is_answered_from_an_index_on_postgres() {
    let store = Store::open(&fresh_database().await).await.unwrap();
    fill(&store).await;
    store.reader().execute("VACUUM ANALYZE").await.unwrap();
    let complaints = postgres_complaints(&store).await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
