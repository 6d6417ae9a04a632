//! The program itself: its settings, its start and its end.

use serde_json::json;

use crate::support::events::failed;
use crate::support::process::{HostProcess, binary, command, ended, free_address};
use crate::support::receiver::Receiver;

#[test]
fn a_wrong_setting_ends_the_process_and_is_named() {
    let wrong = [
        ("ALERTS_LISTEN", "nowhere"),
        ("ALERTS_DATABASE_URL", "mysql://x"),
        ("ALERTS_DATABASE_URL", "sqlite:///proc/no/such/alerts.db"),
        ("ALERTS_ENCRYPTION_KEYS", "a:short"),
        ("ALERTS_ENCRYPTION_KEYS", "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("ALERTS_BOOTSTRAP_KEY", "changeme"),
        ("ALERTS_ALLOW_TARGETS", "10.0.0.0/33"),
        ("ALERTS_ROLLOUT", "maybe"),
        ("ALERTS_PLUGINS_DIR", "/no/such/folder"),
    ];
    for (name, value) in wrong {
        let folder = tempfile::tempdir().unwrap();
        let output = ended(
            command(folder.path())
                .env("ALERTS_LISTEN", free_address().to_string())
                .env(name, value),
        );
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name}={value}");
        assert!(text.contains(name), "{name}={value}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn postgres_without_encryption_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        ended(command(folder.path()).env("ALERTS_DATABASE_URL", "postgres://127.0.0.1:1/x"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(text.contains("ALERTS_ENCRYPTION_KEYS"), "{text}");
}

#[tokio::test]
async fn a_health_check_says_whether_the_host_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let host = HostProcess::start(folder.path(), None).await;
    let listen = host.address.to_string();
    let ask = |arguments: &[&str]| {
        let mut health = std::process::Command::new(binary());
        ended(health.args(arguments).env("ALERTS_LISTEN", &listen))
    };
    for (arguments, word) in [(&["health"][..], "ready"), (&["health", "--live"][..], "alive")] {
        let output = ask(arguments);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), word);
    }
    assert_eq!(host.terminate(), Some(0));
    let output = ask(&["health"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&listen) && text.contains("is the host running"), "{text}");
}

#[test]
fn help_explains_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    let output = ended(command(folder.path()).arg("--help"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in [
        "ALERTS_LISTEN",
        "ALERTS_DATABASE_URL",
        "ALERTS_ENCRYPTION_KEYS",
        "ALERTS_PLUGINS_DIR",
        "ALERTS_ALLOW_TARGETS",
        "ALERTS_BOOTSTRAP_KEY",
        "ALERTS_ROLLOUT",
    ] {
        assert!(text.contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_terminated_host_ends_well_and_its_keys_and_data_are_there_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let host = HostProcess::start(folder.path(), None).await;
    let api = host.api("payments");
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({})).await;
    api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    assert_eq!(host.terminate(), Some(0));

    use std::os::unix::fs::PermissionsExt as _;
    let key = std::fs::metadata(folder.path().join("encryption.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o077, 0, "for its owner alone");
    let host = HostProcess::start(folder.path(), None).await;
    let api = host.api("payments");
    // Its secret still opens.
    api.event(failed("evt-2")).await;
    let received = receiver.wait_for(2).await;
    let library = standardwebhooks::Webhook::new(endpoint["secret"].as_str().unwrap()).unwrap();
    library.verify(&received[1].body, &received[1].headers).unwrap();
}
