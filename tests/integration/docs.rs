//! What people copy from the docs and from the terminal works as it stands there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::api::{Api, KEY};
use crate::support::events::failed;
use crate::support::process::{command, free_address};
use crate::support::receiver::Receiver;

/// Runs a script as a person would paste it; answers with what it printed.
fn paste(script: &str) -> String {
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", script]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_that_a_first_start_prints_lead_to_an_alert() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let address = free_address();
    let mut process = command(folder.path())
        .env("ALERTS_LISTEN", address.to_string())
        .env_remove("ALERTS_BOOTSTRAP_KEY")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(process.stdout.take().unwrap());
    let mut script = String::new();
    for line in out.lines() {
        let line = line.unwrap();
        let line = line.trim();
        if ["KEY=", "ID=", "curl "].iter().any(|start| line.starts_with(start)) {
            script.push_str(&line.replace("https://example.com/hook", &receiver.url("/hook")));
            script.push('\n');
        }
        if line.starts_with("What became of it") {
            break;
        }
    }
    paste(&script);
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["type"], "workflow.failed");
    process.kill().unwrap();
    process.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_tenants_page_do_what_it_says() {
    let page = include_str!("../../docs/exosphere/alerts.md");
    let host = crate::support::host::TestHost::in_real_time().await;
    let receiver = Receiver::start().await;
    // Dead first, so that there is something to redrive.
    receiver.answer("/hook", &[410]);
    let key = tenants_key(&host.api).await;
    let run = |start: &str, id: &Value| {
        let found = blocks(page).find(|block| block.contains(start));
        let block = found.unwrap_or_else(|| panic!("no command with `{start}`"));
        let id = id.as_str().unwrap_or_default();
        let block = block
            .replace("https://example.com/hook", &receiver.url("/hook"))
            .replace("wh_…", id)
            .replace("dlv_…", id);
        let exports = format!("export ALERTS=http://{} KEY={key}\n", host.address());
        serde_json::from_str::<Value>(&paste(&(exports + &block))).unwrap()
    };
    let endpoint = run("/v1/webhooks -H", &Value::Null);
    assert!(endpoint["secret"].as_str().unwrap().starts_with("whsec_"));
    let rule = run("/v1/alert-rules", &endpoint["id"]);
    assert_eq!(rule["event_type"], "workflow.failed");
    host.api.event(failed("evt-1")).await;
    let dead = host.api.delivery_with("dead").await;
    receiver.answer("/hook", &[200]);
    let tested = run("/test", &endpoint["id"]);
    assert!(tested.to_string().contains("delivered"), "{tested}");
    assert_eq!(run("/v1/webhooks/test -H", &Value::Null)["is_delivered"], true);
    assert_eq!(run("/v1/events?limit=1", &Value::Null)["data"].as_array().unwrap().len(), 1);
    assert_eq!(run("/v1/dead-letters/redrive", &dead["id"])["redriven"], 1);
    assert_eq!(run("/v1/alert-rules/backtest", &endpoint["id"])["scanned"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_emitters_page_post_the_events_that_it_tells_of() {
    let page = include_str!("../../docs/exosphere/events.md");
    let host = crate::support::host::TestHost::in_real_time().await;
    let key = tenants_key(&host.api).await;
    let mut types = Vec::new();
    for block in blocks(page) {
        let exports = format!("export ALERTS=http://{} KEY={key}\n", host.address());
        let accepted = serde_json::from_str::<Value>(&paste(&(exports + &block))).unwrap();
        assert_eq!(accepted["accepted"], 1, "{block}");
        let stored = host.api.get("/v1/events?limit=1").await.expect(200);
        types.push(stored["data"][0]["event"]["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types, ["workflow.failed", "note.written", "workflow.failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_configuration_page_do_what_it_says() {
    let page = include_str!("../../docs/configuration-as-code.md");
    let host = crate::support::host::TestHost::start().await;
    let key = tenants_key(&host.api).await;
    host.api.endpoint("https://example.com/", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let program = crate::support::process::binary();
    let block = blocks(page).next().unwrap();
    let block = block
        .replace("http://127.0.0.1:8080", &format!("http://{}", host.address()))
        .replace("ALERTS_KEY=…", &format!("ALERTS_KEY={key}"));
    let (at, programs) = (folder.path().display(), program.parent().unwrap().display());
    let script = format!("cd {at}\nexport PATH={programs}:$PATH\n{block}");
    let printed = tokio::task::block_in_place(|| paste(&script));
    assert!(printed.ends_with("nothing to do\n"), "{printed}");
    let schema = std::fs::read_to_string(folder.path().join("configuration.v1.json")).unwrap();
    assert_eq!(schema, include_str!("../../docs/schemas/configuration.v1.json"));
}

#[tokio::test]
async fn the_triggers_of_the_tenants_page_are_taken() {
    let page = include_str!("../../docs/exosphere/alerts.md");
    let host = crate::support::host::TestHost::start().await;
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let written = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let triggers: Vec<Value> = written
        .map(|json| serde_json::from_str::<Value>(json).unwrap())
        .filter(|json| json.get("trigger").is_some())
        .collect();
    assert_eq!(triggers.len(), 3);
    for mut rule in triggers {
        rule["webhook_endpoint_id"] = endpoint["id"].clone();
        host.api.rule(&endpoint, rule).await;
    }
}

#[test]
fn every_file_that_the_docs_link_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/exosphere", "docs/decisions"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        // Pictures that differ in light and dark are written in HTML.
        let pictures = text.split("src").skip(1).filter_map(|rest| rest.split('"').nth(1));
        let is_picture = |link: &&str| link.contains("images/");
        for link in links.chain(pictures.filter(is_picture)) {
            let is_elsewhere = link.starts_with("http") || link.starts_with('#');
            // Written when the site is built, which looks for it there.
            let is_made = link.starts_with("api/");
            let file = link.split('#').next().unwrap_or_default();
            let there = page.parent().unwrap().join(file).exists();
            assert!(is_elsewhere || is_made || there, "{} links to {link}", page.display());
        }
    }
}

#[test]
fn the_readmes_commands_are_commands_of_xtask() {
    let readme = include_str!("../../README.md");
    let xtask = include_str!("../../xtask/src/main.rs").to_lowercase();
    let words: Vec<_> = readme.split("cargo xtask ").skip(1).collect();
    assert!(words.len() >= 4);
    for word in words {
        let is_of_name = |letter: &char| letter.is_ascii_lowercase() || *letter == '-';
        let name: String = word.chars().take_while(is_of_name).collect();
        let (variant, module) = (name.replace('-', ""), name.replace('-', "_"));
        assert!(xtask.contains(&format!("{variant}({module}::args)")), "cargo xtask {name}");
    }
}

/// The shell commands of a page.
fn blocks(page: &str) -> impl Iterator<Item = String> {
    page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned)
}

/// The page speaks to people who hold a key of their namespace.
async fn tenants_key(api: &Api) -> String {
    let made = api.post("/v1/api-keys", json!({"name": "docs", "role": "editor"})).await;
    let key = made.expect(201)["key"].as_str().unwrap().to_owned();
    assert_ne!(key, KEY);
    key
}
