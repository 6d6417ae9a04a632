//! What operators decide about tenants, from the command line.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::api::KEY;
use crate::support::host::TestHost;
use crate::support::process::{binary, ended};

/// `tenant …` against a host: the lines that it prints, or its complaint.
fn tenant(host: &TestHost, key: &str, arguments: &[&str]) -> Result<Vec<Value>, String> {
    let mut command = Command::new(binary());
    command.arg("tenant").args(arguments);
    command.env("ALERTS_URL", format!("http://{}", host.address())).env("ALERTS_KEY", key);
    let output = tokio::task::block_in_place(|| ended(&mut command));
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_shows_and_sets_tenants() {
    let host = TestHost::start().await;
    let run = |arguments: &[&str]| tenant(&host, KEY, arguments);
    let is = |name: &str, is_beta: bool, rate_limit: Value| json!({"name": name, "is_beta": is_beta, "rate_limit": rate_limit});
    assert_eq!(run(&["list"]).unwrap(), [] as [Value; 0]);
    assert_eq!(run(&["show", "a b/c"]).unwrap(), [is("a b/c", false, json!(null))]);

    let set = run(&["set", "a b/c", "--beta", "true", "--rate-limit", "600", "--burst", "5"]);
    let limited = is("a b/c", true, json!({"per_minute": 600, "burst": 5}));
    assert_eq!(set.unwrap(), std::slice::from_ref(&limited));
    run(&["set", "zoo", "--beta", "true"]).unwrap();
    assert_eq!(run(&["list"]).unwrap(), [limited, is("zoo", true, json!(null))]);
    let freed = run(&["set", "a b/c", "--rate-limit", "none"]).unwrap();
    assert_eq!(freed, [is("a b/c", true, json!(null))], "what is left out stays");

    for wrong in [&["set", "zoo"][..], &["set", "zoo", "--burst", "2"]] {
        assert!(run(wrong).unwrap_err().contains("--rate-limit"), "{wrong:?}");
    }
    assert!(run(&["set", "zoo", "--rate-limit", "0"]).unwrap_err().contains("1 to 1000000"));
    let made = host.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await;
    let own = made.expect(201)["key"].as_str().unwrap().to_owned();
    assert!(tenant(&host, &own, &["list"]).unwrap_err().contains("403"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_longer_than_a_page_is_told_whole() {
    let host = TestHost::start().await;
    for number in 0..201 {
        let path = format!("/v1/tenants/team-{number:03}");
        host.api.patch(&path, json!({"is_beta": true})).await.expect(200);
    }
    let listed = tenant(&host, KEY, &["list"]).unwrap();
    assert_eq!(listed.len(), 201);
    assert_eq!(listed[200]["name"], "team-200");
}
