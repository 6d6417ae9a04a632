//! Two people change one thing: nobody undoes what he has not seen.

use alerts_test_support::postgres::fresh_database;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Answer, Api};
use crate::support::host::TestHost;

/// An endpoint and a rule, each with the path where it is.
async fn both(api: &Api) -> [(String, Value); 2] {
    let endpoint = api.endpoint("http://127.0.0.1:9/", json!({})).await;
    let rule = api.rule(&endpoint, json!({})).await;
    let at = |path: &str, made: Value| (format!("{path}/{}", made["id"].as_str().unwrap()), made);
    [at("/v1/webhooks", endpoint), at("/v1/alert-rules", rule)]
}

#[track_caller]
fn tag(answer: &Answer) -> String {
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let resource = if answer.status == 412 { &answer.body["current"] } else { &answer.body };
    assert_eq!(resource["etag"], tag.as_str());
    tag
}

#[tokio::test]
async fn a_change_of_a_version_that_is_no_longer_the_newest_is_refused_with_the_newest() {
    let host = TestHost::start().await;
    for (path, made) in both(&host.api).await {
        let first = tag(&host.api.get(&path).await);
        assert_eq!(made["etag"], first.as_str());
        let mine = host.api.with("if-match", Some(&first));
        let changed = mine.patch(&path, json!({"name": "Mine"})).await;
        let second = tag(&changed);
        changed.expect(200);
        assert_ne!(first, second);

        for refused in [
            mine.patch(&path, json!({"name": "Theirs"})).await,
            mine.delete(&path).await,
            host.api.with("if-match", Some("\"1\", W/\"2\"")).delete(&path).await,
        ] {
            assert_eq!(tag(&refused), second);
            assert_eq!(refused.body["current"]["name"], "Mine");
            refused.problem(412);
        }
        let unchanged = host.api.get(&path).await;
        assert_eq!((tag(&unchanged), &unchanged.body["name"]), (second.clone(), &json!("Mine")));
        // Whoever names no version changes whatever is there.
        let third = tag(&host.api.patch(&path, json!({"name": "Any"})).await);
        let newest = host.api.with("if-match", Some(&format!("\"1\", {third}")));
        newest.delete(&path).await.expect(204);
        newest.patch(&path, json!({"name": "x"})).await.problem(404);
        newest.delete(&path).await.problem(404);
    }
}

#[tokio::test]
async fn of_many_changes_of_one_version_at_once_exactly_one_is_made() {
    let url = fresh_database().await;
    let (first, second) = (TestHost::on(&url).await, TestHost::on(&url).await);
    for (path, made) in both(&first.api).await {
        let mut newest = made["etag"].as_str().unwrap().to_owned();
        for round in 0..5 {
            let changes = (0..6).map(|number| {
                let host = if number % 2 == 0 { &first } else { &second };
                let api = host.api.with("if-match", Some(&newest));
                let path = path.clone();
                async move {
                    match number {
                        5 if round == 4 => api.delete(&path).await.status,
                        _ => {
                            api.patch(&path, json!({"name": format!("{round} {number}")}))
                                .await
                                .status
                        }
                    }
                }
            });
            let told = futures_util::future::join_all(changes).await;
            let made = told.iter().filter(|status| [200, 204].contains(*status)).count();
            assert_eq!(made, 1, "{told:?}");
            let refused = told.iter().filter(|status| [412, 404].contains(*status)).count();
            assert_eq!(refused, 5, "{told:?}");
            let now = first.api.get(&path).await;
            if now.status == 200 {
                newest = tag(&now);
            }
        }
    }
}

#[tokio::test]
async fn what_was_just_made_is_answered_with_its_tag_also_when_the_answer_is_repeated() {
    let host = TestHost::start().await;
    let api = host.api.with("idempotency-key", Some("once"));
    let body = json!({"name": "x", "target_url": "http://127.0.0.1:9/"}).to_string();
    let mut tags = Vec::new();
    for _ in 0..2 {
        let answer = api.send(Method::POST, "/v1/webhooks", Some(body.clone().into())).await;
        assert_eq!(answer.status, 201);
        tags.push(tag(&answer));
    }
    assert_eq!(tags[0], tags[1]);
}

#[tokio::test]
async fn rotating_a_secret_makes_a_new_version() {
    let host = TestHost::start().await;
    let [(path, made), _] = both(&host.api).await;
    host.api.post(&format!("{path}/rotate-secret"), json!({})).await.expect(200);
    let seen = host.api.with("if-match", made["etag"].as_str());
    seen.patch(&path, json!({"name": "x"})).await.problem(412);
}
