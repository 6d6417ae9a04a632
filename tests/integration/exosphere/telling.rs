//! What is told of runs, and when.

use alerts_stand_in_exosphere::{StateStatus, play};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{SHOP, all_of, looked, source, stand_in, told, told_of, watcher, watching};
use crate::support::eventually;
use crate::support::receiver::Receiver;

#[tokio::test]
async fn a_run_that_fails_arrives_at_a_receiver_and_nobody_posts_anything() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let receiver = Receiver::start().await;
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({"condition": "event.data.node_name == 'Charge'"})).await;
    let run = stand_in.trigger(SHOP, "checkout");
    stand_in.succeed(&run);
    let charge = stand_in.next(&run, "Charge", None);
    stand_in.set(&charge, StateStatus::Errored);
    let alert = receiver.wait_for(1).await.remove(0).json();
    assert_eq!(alert["type"], "workflow.failed");
    assert_eq!(alert["workflow"]["run_id"], run);
    assert_eq!(alert["workflow"]["node_name"], "Charge");
    let failed = told_of(&api, &run, "failed/2").await;
    assert_eq!(failed["subject"], format!("graph/checkout/run/{run}"));
    assert_eq!(failed["data"]["failed_state_id"], charge);
    assert_eq!(failed["data"]["finished_at_is_observed"], json!(null), "a worker's own word");
    assert!(!failed.to_string().contains("4111"), "what the user's code said stays there");
    assert_eq!(all_of(&api, &run).await, ["failed/2", "started"]);
}

#[tokio::test]
async fn what_was_there_before_is_not_told_and_what_comes_of_it_is_wherever_it_is_listed() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let old: Vec<String> = (0..450).map(|_| stand_in.trigger(SHOP, "nightly")).collect();
    old.iter().skip(1).for_each(|run| stand_in.error(run));
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    assert_eq!(told(&api).await.unwrap().len(), 0);
    assert_eq!(looked(&api).await["open_runs"], 1);
    // The oldest was under way, and one in the middle is opened again.
    stand_in.succeed(&old[0]);
    told_of(&api, &old[0], "succeeded/1").await;
    stand_in.retry(&old[200]);
    told_of(&api, &old[200], "restarted/1").await;
    stand_in.succeed(&old[200]);
    told_of(&api, &old[200], "succeeded/2").await;
    assert_eq!(told(&api).await.unwrap().len(), 3);
    // A look that finds nothing costs a page of new runs and a page of old ones.
    let polls = async || {
        let metrics = api.get("/metrics").await.expect(200);
        let text = metrics.as_str().unwrap().to_owned();
        let line = text.lines().find(|line| line.starts_with("alerts_source_polls_total"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap()
    };
    let (from, requests) = (polls().await, stand_in.requests());
    eventually("ten looks", async || (polls().await >= from + 10.0).then_some(())).await;
    let (looks, requests) = (polls().await - from + 1.0, stand_in.requests() - requests);
    assert!(requests as f64 <= looks * 2.0, "{requests} requests in {looks} looks");
}

#[tokio::test]
async fn a_join_that_comes_late_and_a_trigger_that_is_slow_make_no_end() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    let orphan = stand_in.trigger_broken(SHOP, "slow");
    let run = stand_in.trigger(SHOP, "joined");
    play::join(&stand_in, &run).await;
    looked(&api).await;
    stand_in.next(&orphan, "Start", None);
    told_of(&api, &orphan, "started").await;
    told_of(&api, &run, "succeeded/4").await;
    assert_eq!(all_of(&api, &run).await, ["started", "succeeded/4"]);
    assert_eq!(all_of(&api, &orphan).await, ["started"]);
}

#[tokio::test]
async fn clocks_in_any_zone_are_read_in_utc_and_runs_below_older_ones_are_found() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    // Three pages of runs that were made by a clock that is ahead.
    stand_in.set_clock(SignedDuration::from_mins(330));
    (0..250).for_each(|_| stand_in.succeed(&stand_in.trigger(SHOP, "older")));
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    for minutes in [330, 0, -300, -240] {
        stand_in.set_clock(SignedDuration::from_mins(minutes));
        let run = stand_in.trigger(SHOP, "zoned");
        let started = told_of(&api, &run, "started").await;
        stand_in.error(&run);
        let failed = told_of(&api, &run, "failed/1").await;
        for time in [&started["time"], &failed["data"]["finished_at"]] {
            let time: Timestamp = time.as_str().unwrap().parse().unwrap();
            let off = Timestamp::now().duration_since(time);
            assert!(off.abs() < SignedDuration::from_mins(5), "{minutes}: {off:#}");
        }
    }
}

#[tokio::test]
async fn a_platform_whose_database_is_made_anew_is_watched_on() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let api = host.api(SHOP);
    for _ in 0..3 {
        let run = stand_in.trigger(SHOP, "lost");
        told_of(&api, &run, "started").await;
    }
    stand_in.forget_all();
    let run = stand_in.trigger(SHOP, "new");
    stand_in.error(&run);
    told_of(&api, &run, "failed/1").await;
    assert_eq!(all_of(&api, &run).await, ["failed/1", "started"]);
    assert_eq!(looked(&api).await["open_runs"], 0, "what is gone is not looked for");
}

#[tokio::test]
async fn namespaces_that_appear_are_watched_from_their_first_run_on() {
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    stand_in.register("other");
    stand_in.trigger("borrowing", "unlisted");
    let mut host = watcher(watching(folder.path(), &stand_in, "*")).await;
    let api = host.api(SHOP);
    assert_eq!(source(&api).await.unwrap()["namespaces"], json!(["other"]));
    let run = stand_in.trigger(SHOP, "first");
    stand_in.register(SHOP);
    host.kill();
    let host = watcher(watching(folder.path(), &stand_in, "*,borrowing")).await;
    let api = host.api(SHOP);
    told_of(&api, &run, "started").await;
    let names = json!(["borrowing", "other", SHOP]);
    assert_eq!(source(&api).await.unwrap()["namespaces"], names);
    let borrowing = stand_in.trigger("borrowing", "unlisted");
    let other = host.api("borrowing");
    eventually("the run of a namespace that is named", async || {
        told(&other).await?.contains_key(&format!("borrowing/{borrowing}/started")).then_some(())
    })
    .await;
    assert_eq!(told(&other).await.unwrap().len(), 1, "what was there before is not told");
}
