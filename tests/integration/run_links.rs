//! Links from an alert to its run, by the operator's `ALERTS_LINK_TEMPLATE`.

use alerts_domain::run_url::LinkTemplate;
use alerts_engine::EngineConfig;
use serde_json::{Value, json};

use crate::alerting::assert_valid;
use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::process::{command, ended};
use crate::support::receiver::Receiver;

async fn host() -> TestHost {
    let template = "https://exosphere.example.com/graph/{namespace}/{graph_name}/{run_id}";
    let run_link = Some(LinkTemplate::parse(template).unwrap());
    TestHost::configured(EngineConfig { run_link, ..EngineConfig::default() }).await
}

fn failed_run(id: &str, graph: &str, run: Value) -> Value {
    let mut event = failed(id);
    event["data"]["graph_name"] = json!(graph);
    event["data"]["run_id"] = run;
    event
}

#[tokio::test]
async fn an_alert_leads_to_its_run_with_all_values_encoded() {
    let (host, receiver) = (host().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed_run("1", "a/b ü?#", json!(7))).await;
    let alert = receiver.wait_for(1).await[0].json();
    assert_valid(&alert);
    let url = "https://exosphere.example.com/graph/payments/a%2Fb%20%C3%BC%3F%23/7";
    assert_eq!(alert["run_url"], url);

    // An event of no run leads nowhere.
    let mut other = failed("2");
    other["subject"] = json!("host/db-7");
    other["data"] = json!({"graph_name": "etl"});
    host.api.event(other).await;
    let alert = receiver.wait_for(2).await[1].json();
    assert_eq!(alert.get("run_url"), None);
}

#[tokio::test]
async fn slack_and_pagerduty_show_the_link_and_an_endpoints_own_comes_first() {
    let (host, receiver) = (host().await, Receiver::start().await);
    let own = json!({"link_template": "https://own.example/{run_id}"});
    let key = json!({"routing_key": "0123456789abcdef0123456789abcdef"});
    for (target, path, settings) in [
        ("slack", "/services/T0/B0/host", json!({})),
        ("slack", "/services/T0/B0/own", own.clone()),
        ("pagerduty", "/v2/enqueue/host", json!({})),
        ("pagerduty", "/v2/enqueue/own", own),
    ] {
        let mut more = json!({"target": target, "settings": settings});
        if target == "pagerduty" {
            more["secrets"] = key.clone();
        }
        let endpoint = host.api.endpoint(&receiver.url(path), more).await;
        host.api.rule(&endpoint, json!({})).await;
    }
    host.api.event(failed_run("1", "etl", json!("r1"))).await;
    receiver.wait_for(4).await;
    let of_host = "https://exosphere.example.com/graph/payments/etl/r1";
    for (path, url) in [("host", of_host), ("own", "https://own.example/r1")] {
        let slack = receiver.at(&format!("/services/T0/B0/{path}"))[0].json();
        let story = slack["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(story.ends_with(&format!("<{url}|Open the run>")), "{story}");
        let event = receiver.at(&format!("/v2/enqueue/{path}"))[0].json();
        assert_eq!(event["links"], json!([{"href": url, "text": "Open the run"}]));
        assert_eq!(event["client_url"], url);
    }
}

#[test]
fn a_host_whose_template_has_an_unknown_placeholder_does_not_start_and_says_which_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.env("ALERTS_LINK_TEMPLATE", "https://exosphere.example.com/graph/{run}");
    let ended = ended(&mut command);
    assert!(!ended.status.success());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("ALERTS_LINK_TEMPLATE"), "{said}");
    assert!(said.contains("knows no `{run}`"), "{said}");
    assert!(said.contains("{namespace}, {graph_name}, {run_id}"), "{said}");
}
