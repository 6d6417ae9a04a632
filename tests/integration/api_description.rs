//! The API's description, and the copy of it that the dashboard's client is made from.

use std::path::Path;

use serde_json::Value;

use crate::support::host::TestHost;
use crate::support::process::{binary, ended};

fn copy() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/openapi.json");
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn the_dashboards_copy_is_what_the_host_serves() {
    let host = TestHost::start().await;
    let served = host.api.get("/openapi.json").await.expect(200);
    let copy: Value = serde_json::from_str(&copy()).unwrap();
    assert!(
        copy == served,
        "dashboard/openapi.json is not what the host serves; write it anew with \
         `cargo xtask dashboard --openapi`"
    );
}

#[test]
fn the_program_prints_it_without_a_host() {
    let printed = ended(std::process::Command::new(binary()).arg("openapi"));
    assert!(printed.status.success());
    assert!(String::from_utf8(printed.stdout).unwrap() == copy());
}

#[tokio::test]
async fn whatever_the_description_refers_to_is_in_it() {
    let host = TestHost::start().await;
    let served = host.api.get("/openapi.json").await.expect(200);
    let mut places = vec![&served];
    let mut references = 0;
    while let Some(place) = places.pop() {
        match place {
            Value::Array(items) => places.extend(items),
            Value::Object(fields) => places.extend(fields.values()),
            _ => continue,
        }
        let Some(reference) = place.get("$ref").and_then(Value::as_str) else { continue };
        let pointer = reference.strip_prefix('#').unwrap_or(reference);
        assert!(served.pointer(pointer).is_some(), "there is no {reference}");
        references += 1;
    }
    assert!(references > 100, "{references}");
}
