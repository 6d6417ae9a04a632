//! The tutorials of docs/plugins, run as they stand there: from `plugin new` to
//! an alert at a receiver, through a host in a process of its own. The projects
//! in C, JavaScript and Python know the contract alone, without our SDK.

use serde_json::Value;

use crate::project::{LINK_NODE_MODULES, LINK_TARGET, run};

/// Runs a page's commands in an empty folder; answers with what the receiver got.
fn follow(page: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let [host, receiver] = [free_port(), free_port()];
    let commands: String = page
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(|block| block.replace("8080", &host).replace("9900", &receiver))
        .collect();
    assert!(commands.contains("plugin replay"), "the page has lost commands: {commands}");
    let address = format!("127.0.0.1:{host}");
    let environment = [("ALERTS_URL", format!("http://{address}")), ("ALERTS_LISTEN", address)];
    let at_the_end = "trap 'cat host.log >&2; kill $(jobs -p)' EXIT\n";
    let printed = run(folder.path(), &format!("{at_the_end}{commands}"), &environment);
    assert!(printed.contains("48 passed, 0 failed"), "{printed}");
    let received = std::fs::read_to_string(folder.path().join("my-target/received.txt")).unwrap();
    serde_json::from_str(received.lines().next().unwrap()).unwrap()
}

/// With a line after the project was made.
fn begun(page: &str, line: &str) -> String {
    page.replacen("cd my-target\n", &format!("cd my-target\n{line}"), 1)
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// What the page says that the receiver gets.
fn promised(page: &str) -> Value {
    let line = page.lines().find(|line| line.starts_with("{\"text\"")).unwrap();
    serde_json::from_str(line).unwrap()
}

#[test]
fn the_tutorial_in_rust_leads_to_a_delivered_alert() {
    let page = include_str!("../../docs/plugins/rust.md");
    assert_eq!(follow(&begun(page, LINK_TARGET)), promised(page));
}

#[test]
fn the_tutorial_in_c_leads_to_a_delivered_alert() {
    let alert = follow(include_str!("../../docs/plugins/c.md"));
    assert_eq!((&alert["type"], &alert["version"]), (&"workflow.failed".into(), &"1".into()));
}

#[test]
#[ignore = "takes a minute or two; `cargo xtask examples --check` runs it"]
fn the_tutorial_in_python_leads_to_a_delivered_alert() {
    let page = include_str!("../../docs/plugins/python.md");
    assert_eq!(follow(page), promised(page));
}

#[test]
#[ignore = "takes a minute or two; `cargo xtask examples --check` runs it"]
fn the_tutorial_in_javascript_leads_to_a_delivered_alert() {
    let page = include_str!("../../docs/plugins/javascript.md");
    assert_eq!(follow(&begun(page, LINK_NODE_MODULES)), promised(page));
}
