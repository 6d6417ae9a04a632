//! A platform that does not answer as it should: told where the operator looks, and
//! nothing is lost.

use std::time::Duration;

use alerts_domain::secret::Secret;
use alerts_server::ServerOptions;
use alerts_sources::{ExosphereSettings, Namespaces};
use alerts_stand_in_exosphere::{Fault, KEY};
use serde_json::Value;

use super::{SHOP, looked, source, stand_in, told, told_of, watcher, watching};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::process::{HostProcess, command, ended, free_address};

/// The source once it is in this kind of trouble.
async fn in_trouble(host: &HostProcess, kind: &str) -> Value {
    in_trouble_at(&host.api(SHOP), kind, || ()).await
}

/// The same, while something goes on.
async fn in_trouble_at(api: &Api, kind: &str, goes_on: impl Fn()) -> Value {
    eventually(kind, async || {
        goes_on();
        source(api).await.filter(|source| source["trouble"]["kind"] == kind)
    })
    .await
}

#[tokio::test]
async fn each_trouble_is_told_in_words_and_what_happened_meanwhile_is_told_after_it() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    let gone = Fault::DatabaseGone(Duration::from_millis(300));
    for (fault, kind, words) in [
        (Fault::OtherKey, "unauthorized", "ALERTS_EXOSPHERE_KEY"),
        (gone, "failing", "status 500"),
        (Fault::Reset, "unreachable", "cannot be reached"),
        (Fault::OtherService, "not_exosphere", "not a page of runs"),
        (Fault::NearlyJson, "not_exosphere", "not a page of runs"),
        (Fault::Redirects, "not_exosphere", "which is not followed"),
    ] {
        let run = stand_in.trigger(SHOP, "meanwhile");
        told_of(&api, &run, "started").await;
        stand_in.fail(fault);
        let source = in_trouble(&host, kind).await;
        stand_in.error(&run);
        assert_eq!(source["state"], "failing", "{fault:?}");
        let detail = source["trouble"]["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{fault:?}: {detail}");
        assert!(!source.to_string().contains(KEY), "{fault:?}");
        stand_in.fail(Fault::None);
        told_of(&api, &run, "failed/1").await;
        let source = looked(&api).await;
        assert_eq!((&source["state"], &source["trouble"]), (&"watching".into(), &Value::Null));
    }
    assert_eq!(told(&api).await.unwrap().len(), 12);
}

#[tokio::test]
async fn trouble_that_lasts_a_minute_is_an_event_of_its_own_and_so_is_its_end() {
    let stand_in = stand_in().await;
    let exosphere = ExosphereSettings {
        url: format!("{}/", stand_in.url()).parse().unwrap(),
        key: Secret::new(KEY),
        namespaces: Namespaces::parse(SHOP).unwrap(),
        interval: Duration::from_secs(1),
        name_servers: Vec::new(),
    };
    let options = ServerOptions { exosphere: Some(exosphere), ..ServerOptions::default() };
    let host = TestHost::served(options).await;
    let api = host.tenant(SHOP);
    // Time goes on while the host waits for it.
    let types = async |count: usize| {
        eventually("events of the source itself", async || {
            host.later(Duration::from_secs(5));
            let told = told(&api).await?;
            let types = told.into_values().map(|event| event["type"].clone());
            Some(types.collect::<Vec<_>>()).filter(|types| types.len() >= count)
        })
        .await
    };
    eventually("a first look", async || source(&api).await?["last_success_at"].as_str().map(drop))
        .await;
    stand_in.fail(Fault::OtherKey);
    assert_eq!(types(1).await, ["exosphere.alerts.source_failing"]);
    stand_in.fail(Fault::Reset);
    in_trouble_at(&api, "unreachable", || host.later(Duration::from_secs(5))).await;
    stand_in.fail(Fault::None);
    let both = ["exosphere.alerts.source_failing", "exosphere.alerts.source_recovered"];
    assert_eq!(types(2).await, both, "of another kind it is the same trouble");
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = command(folder.path());
    command
        .env("ALERTS_EXOSPHERE_URL", format!("http://{address}"))
        .env("ALERTS_EXOSPHERE_KEY", KEY)
        .env("ALERTS_EXOSPHERE_NAMESPACES", "*")
        .env("ALERTS_EXOSPHERE_INTERVAL_MS", "200");
    let host = HostProcess::start_with(command, free_address()).await;
    let source = in_trouble(&host, "unreachable").await;
    assert_eq!(source["last_success_at"], Value::Null);
    let stand_in = alerts_stand_in_exosphere::StandIn::start(address).await.unwrap();
    stand_in.register(SHOP);
    let api = host.api(SHOP);
    let source = looked(&api).await;
    assert_eq!((&source["state"], &source["trouble"]), (&"watching".into(), &Value::Null));
}

#[tokio::test]
async fn a_status_that_is_not_known_is_remarked_and_its_run_told_once_it_is() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    let run = stand_in.trigger(SHOP, "newer");
    stand_in.time_out(&run);
    told_of(&api, &run, "started").await;
    let source = looked(&api).await;
    assert_eq!((&source["state"], &source["open_runs"]), (&"watching".into(), &1.into()));
    let remark = source["remarks"][0].as_str().unwrap();
    assert!(remark.contains(&run) && remark.contains("SUCCESS"), "{remark}");
    stand_in.retry(&run);
    stand_in.error(&run);
    told_of(&api, &run, "failed/2").await;
    assert_eq!(looked(&api).await["remarks"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn settings_that_name_half_of_a_platform_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.env("ALERTS_EXOSPHERE_URL", "http://state-manager:8000");
    let ended = ended(&mut command);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    for name in ["ALERTS_EXOSPHERE_KEY", "ALERTS_EXOSPHERE_NAMESPACES"] {
        assert!(said.contains(name), "{said}");
    }
}

#[tokio::test]
async fn who_is_no_operator_sees_nothing_that_is_watched() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    let made = api
        .post("/v1/api-keys", serde_json::json!({"name": "of a tenant", "role": "admin"}))
        .await
        .expect(201);
    let tenant = api.with("x-api-key", made["key"].as_str());
    let listed = tenant.get("/v1/sources").await.expect(200);
    assert_eq!(listed["data"], serde_json::json!([]));
    tenant.get("/v1/sources/exosphere").await.problem(404);
    assert_eq!(api.get("/v1/sources/exosphere").await.expect(200)["kind"], "exosphere");
}
