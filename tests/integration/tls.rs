//! A host that serves TLS itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client, Version};
use serde_json::json;

use crate::support::eventually;
use crate::support::process::{HostProcess, binary, command, ended, free_address};

/// A certificate of this host's name in the files that a host is told of; a client that
/// trusts it and no other.
fn written(folder: &Path) -> Client {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    // The key first: between the two, the pair does not fit, and is not taken up.
    fs::write(key(folder), signing_key.serialize_pem()).unwrap();
    fs::write(certificate(folder), cert.pem()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap()
}

fn certificate(folder: &Path) -> PathBuf {
    folder.join("tls.crt")
}

fn key(folder: &Path) -> PathBuf {
    folder.join("tls.key")
}

fn with_tls(mut command: Command, folder: &Path) -> Command {
    command.env("ALERTS_TLS_CERT", certificate(folder)).env("ALERTS_TLS_KEY", key(folder));
    command
}

/// Starts it; a client of the tests asks for plain HTTP, so readiness is asked for here.
async fn started(folder: &Path, client: &Client) -> (HostProcess, String) {
    let address = free_address();
    let host = HostProcess::spawn(with_tls(command(folder), folder), address);
    let url = format!("https://localhost:{}", address.port());
    eventually("a host that is ready", async || {
        let ready = client.get(format!("{url}/readyz")).send().await.ok()?;
        ready.status().is_success().then_some(())
    })
    .await;
    (host, url)
}

#[tokio::test]
async fn with_a_certificate_it_serves_tls_alone_and_marks_its_cookies_so() {
    let folder = tempfile::tempdir().unwrap();
    let client = written(folder.path());
    let (host, url) = started(folder.path(), &client).await;
    let answer = client.get(format!("{url}/readyz")).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let key = json!({"key": crate::support::api::KEY});
    let opened = client
        .post(format!("{url}/v1/session"))
        .header("content-type", "application/json")
        .body(key.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(opened.status(), 204);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure"), "{cookie}");

    let plain = client.get(format!("http://{}/readyz", host.address)).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let asked = with_tls(Command::new(binary()), folder.path())
        .arg("health")
        .env("ALERTS_LISTEN", host.address.to_string())
        .output()
        .unwrap();
    assert!(asked.status.success(), "{asked:?}");
}

#[tokio::test]
async fn a_certificate_that_is_renewed_is_taken_up_while_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (_host, url) = started(folder.path(), &written(folder.path())).await;
    let renewed = written(folder.path());
    eventually("the new certificate", async || {
        let answer = renewed.get(format!("{url}/healthz")).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}

#[test]
fn files_that_cannot_be_served_with_are_refused_at_the_start_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    written(folder);
    let refused = |setting: &str, file: &Path| {
        let ended = ended(&mut with_tls(command(folder), folder));
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(setting) && said.contains(file.to_str().unwrap()), "{said}");
    };
    let (good, key_of_another) = (fs::read(key(folder)).unwrap(), {
        written(folder);
        fs::read(key(folder)).unwrap()
    });
    fs::write(key(folder), &good).unwrap();
    refused("ALERTS_TLS_KEY", &key(folder));
    fs::write(key(folder), "no key").unwrap();
    refused("ALERTS_TLS_KEY", &key(folder));
    fs::write(key(folder), &key_of_another).unwrap();
    fs::write(certificate(folder), "no certificate").unwrap();
    refused("ALERTS_TLS_CERT", &certificate(folder));
    fs::remove_file(certificate(folder)).unwrap();
    refused("ALERTS_TLS_CERT", &certificate(folder));
}
