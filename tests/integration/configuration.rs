//! Configuration as files: applied, applied again, changed by hand, exported, refused.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::api::KEY;
use crate::support::host::{TENANT, TestHost};
use crate::support::process::{binary, ended};

const ON_CALL_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SLACK_URL: &str = "https://hooks.slack.com/services/T00000000/B00000000/hush-hush-hush";
const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
/// There is something to do.
const CHANGES: Option<i32> = Some(3);

/// Files of one test, and the host that they are for.
struct Scene {
    host: TestHost,
    folder: tempfile::TempDir,
    key: String,
    secret: String,
}

impl Scene {
    async fn new() -> Self {
        let (host, folder) = (TestHost::start().await, tempfile::tempdir().unwrap());
        Self { host, folder, key: KEY.to_owned(), secret: ON_CALL_SECRET.to_owned() }
    }

    /// One with the files of `examples/config`, and the secret file that belongs to them.
    async fn of_examples() -> Self {
        let scene = Self::new().await;
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/config");
        for file in ["payments/endpoints", "payments/rules", "operator/tenants", "operator/plugins"]
        {
            let name = format!("{file}.yaml");
            scene.write(&name, &std::fs::read_to_string(examples.join(&name)).unwrap());
        }
        scene.write("payments/secrets/pagerduty-routing-key", &format!("{ROUTING_KEY}\n"));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Runs the program; nothing that it prints may hold a secret.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path());
        command.env("ALERTS_URL", format!("http://{}", self.host.address()));
        command.env("ALERTS_KEY", &self.key).env("ALERTS_NAMESPACE", TENANT);
        command.env("ON_CALL_SECRET", &self.secret).env("SLACK_URL", SLACK_URL);
        let output = tokio::task::block_in_place(|| ended(&mut command));
        let ran = Ran::of(&output);
        for secret in [&self.secret, "hush-hush-hush", ROUTING_KEY, KEY] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
        }
        ran
    }

    #[track_caller]
    fn says_nothing_to_do(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "nothing to do\n"), "{}", ran.err);
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let listed = self.host.api.get(path).await.expect(200);
        let names = listed["data"].as_array().unwrap().iter();
        names.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The endpoint or rule of a name.
    async fn named(&self, path: &str, name: &str) -> Value {
        let listed = self.host.api.get(path).await.expect(200);
        let all = listed["data"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    }
}

#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_applied_twice_or_exported_and_applied_change_nothing() {
    let scene = Scene::of_examples().await;
    let operator = scene.run(&["apply", "-f", "operator"]).well();
    assert!(operator.contains("~ tenant payments") && operator.contains("~ plugin pagerduty"));
    scene.says_nothing_to_do(&["apply", "-f", "operator"]);

    let apply = ["apply", "-f", "payments", "--label", "payments"];
    let dry = scene.run(&[&apply[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, CHANGES, "{}", dry.err);
    assert!(dry.out.contains("+ endpoint PagerDuty") && dry.out.contains("to be done: 6 created"));
    assert_eq!(scene.names("/v1/webhooks").await, [] as [&str; 0], "a dry run does nothing");

    scene.run(&apply).well();
    scene.says_nothing_to_do(&apply);
    scene.says_nothing_to_do(&[&apply[..], &["--prune"]].concat());
    assert_eq!(scene.named("/v1/webhooks", "Slack").await["managed_by"], "payments");
    let rule = scene.named("/v1/alert-rules", "Stuck for a quarter of an hour").await;
    let endpoint = scene.named("/v1/webhooks", "PagerDuty").await;
    assert_eq!(rule["webhook_endpoint_id"], endpoint["id"]);

    scene.run(&["export", "--out", "out"]).well();
    let files = ["endpoints", "rules", "tenants", "plugins"];
    let read = |name| std::fs::read_to_string(scene.path(&format!("out/{name}.yaml"))).unwrap();
    let exported = files.map(read).concat();
    assert!(exported.contains("Many errors") && exported.contains("is_beta: true"), "{exported}");
    assert!(!exported.contains("hush") && !exported.contains("whsec"), "{exported}");
    scene.says_nothing_to_do(&["apply", "-f", "out"]);
    let again = scene.run(&["export", "--out", "out"]);
    assert!(again.code == Some(1) && again.err.contains("--overwrite"), "{again:?}");
    scene.run(&["export", "--out", "out", "--overwrite"]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_is_drift_and_is_taken_back() {
    let scene = Scene::of_examples().await;
    let apply = ["apply", "-f", "payments", "--label", "payments"];
    scene.run(&apply).well();
    let rule = scene.named("/v1/alert-rules", "Many errors in one run").await;
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    let slack = scene.named("/v1/webhooks", "Slack").await;
    let change = json!({"condition": "true", "retry_policy": {"max_retries": 1},
        "webhook_endpoint_id": slack["id"]});
    scene.host.api.patch(&path, change).await.expect(200);
    let on_call = scene.named("/v1/webhooks", "On call").await;
    let path = format!("/v1/webhooks/{}", on_call["id"].as_str().unwrap());
    let change = json!({"headers": {"x-team": "other"}, "is_active": false,
        "secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"});
    scene.host.api.patch(&path, change).await.expect(200);

    let drift = scene.run(&[&apply[..], &["--dry-run"]].concat());
    assert_eq!(drift.code, CHANGES, "{}", drift.err);
    let expected = "\
~ endpoint On call
    headers.x-team: another value (not shown)
    is_active: false → true
    secret: (not shown)
~ rule Many errors in one run
    condition: \"true\" → \"event.data.errored_count > 3\"
    endpoint: \"Slack\" → \"On call\"
    retry_policy.max_retries: 1 → 5
to be done: 0 created, 2 changed, 0 deleted
";
    assert_eq!(drift.out, expected);
    scene.run(&apply).well();
    scene.says_nothing_to_do(&apply);
    let on_call = scene.named("/v1/webhooks", "On call").await;
    assert_eq!(
        (&on_call["is_active"], &on_call["headers"]["x-team"]),
        (&json!(true), &json!("payments"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_seen_and_never_shown() {
    let mut scene = Scene::of_examples().await;
    let apply = ["apply", "-f", "payments", "--label", "payments"];
    scene.run(&apply).well();
    scene.secret = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB".to_owned();
    scene.write("payments/secrets/pagerduty-routing-key", "ffffffffffffffffffffffffffffffff");
    let dry = scene.run(&[&apply[..], &["--dry-run"]].concat());
    let expected = "\
~ endpoint On call
    secret: (not shown)
~ endpoint PagerDuty
    secrets: routing_key (not shown)
to be done: 0 created, 2 changed, 0 deleted
";
    assert_eq!((dry.code, dry.out.as_str()), (CHANGES, expected), "{}", dry.err);
    scene.run(&apply).well();
    scene.says_nothing_to_do(&apply);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_an_earlier_apply_with_the_label_has_made_is_pruned() {
    let scene = Scene::new().await;
    let file = |endpoints: &[&str]| {
        let endpoints: String = endpoints
            .iter()
            .map(|name| format!("- {{name: {name}, target_url: https://example.com/}}\n"))
            .collect();
        scene.write("a/a.yaml", &format!("endpoints:\n{endpoints}"));
    };
    let by_hand = scene.host.api.endpoint("https://example.com/", json!({"name": "by-hand"})).await;
    file(&["one", "two", "by-hand"]);
    let apply = ["apply", "-f", "a", "--label", "a", "--prune"];
    scene.run(&apply).well();
    scene.write("b/b.yaml", "endpoints: [{name: theirs, target_url: https://example.com/}]\n");
    scene.run(&["apply", "-f", "b", "--label", "b"]).well();

    // What was there before is changed by files, and still not theirs to delete.
    file(&["two"]);
    let without = scene.run(&["apply", "-f", "a", "--label", "a"]).well();
    assert_eq!(without, "nothing to do\n", "without --prune nothing is deleted");
    let pruned = scene.run(&apply).well();
    assert_eq!(pruned, "- endpoint one\ndone: 0 created, 0 changed, 1 deleted\n");
    let mut left = scene.names("/v1/webhooks").await;
    left.sort();
    assert_eq!(left, ["by-hand", "theirs", "two"]);
    assert_eq!(by_hand["managed_by"], Value::Null);

    // Nobody takes over what another configuration has made.
    let theirs =
        "endpoints: [{name: theirs, target_url: https://example.com/, is_active: false}]\n";
    scene.write("a/a.yaml", theirs);
    let taken = scene.run(&apply);
    assert_eq!(taken.code, Some(1));
    assert!(taken.err.contains("was made by the configuration `b`"), "{}", taken.err);

    // Nor does an endpoint go while a rule of somebody else leads to it.
    let two = scene.named("/v1/webhooks", "two").await;
    scene.host.api.rule(&two, json!({"name": "by hand"})).await;
    file(&["three"]);
    let used = scene.run(&apply);
    assert!(used.err.contains("the rule \"by hand\""), "{}", used.err);
    assert_eq!(scene.names("/v1/webhooks").await.len(), 3);
    assert_eq!(scene.run(&["apply", "-f", "a", "--prune"]).code, Some(2), "whose would they be");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_file_line_and_field_and_nothing_is_changed() {
    let scene = Scene::new().await;
    let theirs = scene.host.tenant("billing").endpoint("https://example.com/", json!({})).await;
    let theirs = theirs["id"].as_str().unwrap();
    let good = "endpoints:\n- name: a\n  target_url: https://example.com/\n";
    let rule = "rules:\n- name: r\n  event_type: x\n  endpoint: a\n";
    let cases = [
        (format!("{good}  colour: red\n"), "f.yaml:4: endpoints[0].colour: unknown field"),
        (
            format!("{good}- name: a\n"),
            "f.yaml:4: endpoints[1].name: the name `a` is taken by the endpoint at",
        ),
        (
            format!("{good}{}", rule.replace("endpoint: a", "endpoint: b")),
            "f.yaml:7: rules[0].endpoint: there is no endpoint `b`",
        ),
        (
            format!("{good}{}", rule.replace("endpoint: a", &format!("endpoint: {theirs}"))),
            "f.yaml:7: rules[0].endpoint: ",
        ),
        (
            format!("{good}{rule}  webhook_endpoint_id: {theirs}\n"),
            "f.yaml:8: rules[0].webhook_endpoint_id: unknown field",
        ),
        (
            format!("{good}  secret: {{env: NEVER_SET}}\n"),
            "f.yaml:4: endpoints[0].secret: the environment variable NEVER_SET",
        ),
        (format!("{good}  secret: {{file: none}}\n"), "f.yaml:4: endpoints[0].secret: the file "),
        (format!("{good}  secret: whsec_in_the_file\n"), "f.yaml:4: endpoints[0].secret: "),
        (
            format!("{good}{rule}  condition: event.data. >\n"),
            "f.yaml:8: rules[0].condition: does not compile",
        ),
        (format!("{good}  settings: {{nonsense: 1}}\n"), "f.yaml:4: endpoints[0].settings"),
        (
            good.replace("https://example.com/", "ftp://example.com/"),
            "f.yaml:3: endpoints[0].target_url: ",
        ),
        (
            format!("{good}tenants:\n- name: t\n  rate_limit: {{per_minute: 0}}\n"),
            "f.yaml:6: tenants[0].rate_limit.per_minute: ",
        ),
        (format!("{good}plugins:\n- id: nobody\n  grants: []\n"), "f.yaml:5: plugins[0]: "),
        (format!("{good}rules: [\n"), "f.yaml:"),
    ];
    for (content, expected) in cases {
        scene.write("config/f.yaml", &content);
        let ran = scene.run(&["apply", "-f", "config"]);
        assert_eq!(ran.code, Some(1), "{content}{}", ran.out);
        assert!(
            ran.err.contains(expected) && ran.err.contains("nothing was changed"),
            "{content}{}",
            ran.err
        );
        assert_eq!(scene.names("/v1/webhooks").await, [] as [&str; 0], "{content}");
    }
    let tenants = scene.host.api.get("/v1/tenants").await.expect(200);
    assert!(tenants["data"].as_array().unwrap().iter().all(|tenant| tenant["name"] != "t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_namespace_has_twice_is_refused_with_the_ids() {
    let scene = Scene::new().await;
    for _ in 0..2 {
        scene.host.api.endpoint("https://example.com/", json!({"name": "a"})).await;
    }
    scene.write("config/f.yaml", "endpoints:\n- name: a\n  target_url: https://example.com/\n");
    let ran = scene.run(&["apply", "-f", "config"]);
    assert!(ran.err.contains("more than one endpoint `a` (wh_"), "{}", ran.err);
    let ran = scene.run(&["export", "--out", "out"]);
    assert!(ran.code == Some(1) && ran.err.contains("more than one endpoint"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_applies_and_exports_with_a_key_of_its_own() {
    let mut scene = Scene::of_examples().await;
    let made = scene.host.api.post("/v1/api-keys", json!({"name": "ci", "role": "editor"})).await;
    scene.key = made.expect(201)["key"].as_str().unwrap().to_owned();
    scene.run(&["apply", "-f", "payments"]).well();
    let exported = scene.run(&["export", "--out", "out"]).well();
    assert!(exported.contains("need a platform key"), "{exported}");
    scene.says_nothing_to_do(&["apply", "-f", "out"]);
    let operators = scene.run(&["apply", "-f", "operator"]);
    assert_eq!(operators.code, Some(1));
    assert!(
        operators.err.contains("tenants[0]: this needs a key with the role `platform`"),
        "{}",
        operators.err
    );
}
