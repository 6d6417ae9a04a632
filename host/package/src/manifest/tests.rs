use super::*;

const SLACK: &str = r#"
id = "slack"
kind = "target"
version = "1.0.0-rc.1+build.7"
summary = "Posts alerts to a Slack channel."
hosts = ["hooks.slack.com"]
url_is_secret = true

[settings]
type = "object"
additionalProperties = false
properties.mention = { type = "string", maxLength = 80 }

[[secrets]]
name = "token"
summary = "A bot token, which starts with xoxb-."
required = true

[limits]
fuel = 5_000_000
"#;

const LANGUAGE: &str = "id = 'cel'\nkind = 'condition'\nversion = '1.0.0'\nsummary = 'CEL.'\n";

/// The message for `toml` with `from` replaced by `to`.
fn refusal(toml: &str, from: &str, to: &str) -> String {
    assert!(toml.contains(from), "{from}");
    Manifest::from_toml(&toml.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn what_an_author_writes_survives_the_way_through_a_file() {
    let manifest = Manifest::from_toml(SLACK).unwrap();
    assert_eq!(manifest.settings_schema()["properties"]["mention"]["maxLength"], 80);
    assert_eq!(manifest.limits.fuel, Some(5_000_000));
    assert_eq!(Manifest::from_json(&manifest.to_json().unwrap()).unwrap(), manifest);
}

#[test]
fn a_plugin_without_settings_takes_the_empty_object_alone() {
    let manifest = Manifest::from_toml(LANGUAGE).unwrap();
    assert_eq!(manifest.settings_schema()["additionalProperties"], false);
    let json = String::from_utf8(manifest.to_json().unwrap()).unwrap();
    assert_eq!(json, r#"{"id":"cel","kind":"condition","version":"1.0.0","summary":"CEL."}"#);
}

#[test]
fn a_field_that_is_unknown_or_missing_is_named() {
    assert!(refusal(SLACK, "url_is_secret", "url_secret").contains("unknown field `url_secret`"));
    assert!(refusal(SLACK, "fuel =", "gas =").contains("unknown field `gas`"));
    assert!(refusal(SLACK, "kind = \"target\"\n", "").contains("missing field `kind`"));
    assert!(refusal(SLACK, "\"target\"", "\"channel\"").contains("unknown variant `channel`"));
}

#[test]
fn a_field_with_a_value_it_may_not_have_is_named() {
    let cases = [
        ("id = \"slack\"", "id = \"Slack\"", "`id` must be"),
        ("id = \"slack\"", "id = \"\"", "`id` must be"),
        ("1.0.0-rc.1+build.7", "1.0", "`version` must be"),
        ("1.0.0-rc.1+build.7", "1.0.0-", "`version` must be"),
        ("1.0.0-rc.1+build.7", "01.0.0", "`version` must be"),
        ("Posts alerts to a Slack channel.", "", "`summary` must be"),
        ("type = \"object\"\n", "", "`settings` must be"),
        (
            "type = \"string\"",
            "type = 7",
            "`settings` must be a valid JSON Schema; at `/properties/mention/type`",
        ),
        (
            "type = \"string\"",
            "\"$ref\" = \"https://example.com/schema\"",
            "`settings` must be a valid JSON Schema",
        ),
        (
            "type = \"string\"",
            "pattern = \"(\"",
            "`settings` must be a valid JSON Schema; at `/properties/mention/pattern`",
        ),
        ("name = \"token\"", "name = \"bot-token\"", "`secrets[0].name` must be"),
        ("hooks.slack.com", "https://hooks.slack.com/services", "`hosts[0]` must be"),
        ("hooks.slack.com", "https://hooks.slack.com:443", "`hosts[0]` must be"),
        ("hooks.slack.com", "Hooks.slack.com", "`hosts[0]` must be"),
        ("hooks.slack.com", "*.slack.com", "`hosts[0]` must be"),
        ("hooks.slack.com", "hooks.slack.com:443", "`hosts[0]` must be"),
        ("hooks.slack.com", "", "`hosts[0]` must be"),
        ("\"hooks.slack.com\"", "\"a.b\", \"a.b\"", "`hosts[1]` repeats `a.b`"),
        ("\"hooks.slack.com\"", "\"https://a.b\", \"a.b\"", "`hosts[1]` repeats `a.b`"),
        ("url_is_secret", "default_url = \"ftp://x\"\nurl_is_secret", "`default_url` must be"),
        ("url_is_secret", "default_url = \"/in\"\nurl_is_secret", "`default_url` must be"),
        ("url_is_secret", "default_url = \"https://\"\nurl_is_secret", "`default_url` must be"),
        (
            "url_is_secret",
            "default_url = \"https://a:b@c/\"\nurl_is_secret",
            "`default_url` must be",
        ),
        ("5_000_000", "0", "`limits.fuel` must be"),
    ];
    for (from, to, expected) in cases {
        let message = refusal(SLACK, from, to);
        assert!(message.starts_with(expected), "{to}: {message}");
    }
    let twice = format!("{SLACK}\n[[secrets]]\nname = \"token\"\nsummary = \"Again.\"\n");
    let message = Manifest::from_toml(&twice).unwrap_err().to_string();
    assert!(message.contains("`secrets[1].name` repeats `token`"), "{message}");
}

#[test]
fn an_address_that_nobody_may_send_to_is_named_unless_the_operator_opened_it() {
    let with = |line: &str| {
        let toml = SLACK.replace("hosts = [\"hooks.slack.com\"]", line);
        Manifest::from_toml(&toml).unwrap()
    };
    let metadata = with("default_url = \"http://169.254.169.254/\"");
    let refused = metadata.judge_addresses(&AddressRules::default()).unwrap_err().to_string();
    assert!(refused.starts_with("`default_url` must be a URL that may be sent to"), "{refused}");
    assert!(refused.contains("169.254.169.254 is a link-local"), "{refused}");
    let private = with("hosts = [\"a.b\", \"http://10.1.2.3:8080\"]");
    let refused = private.judge_addresses(&AddressRules::default()).unwrap_err().to_string();
    assert!(refused.starts_with("`hosts[1]` must be a host that may be sent to"), "{refused}");
    let opened = AddressRules::new(vec!["10.0.0.0/8".parse().unwrap()]);
    private.judge_addresses(&opened).unwrap();
    Manifest::from_toml(SLACK).unwrap().judge_addresses(&AddressRules::default()).unwrap();
}

#[test]
fn an_id_is_at_most_a_dns_label_long() {
    assert!(is_name(&"a".repeat(63), b'-'));
    assert!(!is_name(&"a".repeat(64), b'-'));
}

#[test]
fn a_condition_language_cannot_ask_for_what_belongs_to_sending() {
    let message = refusal(LANGUAGE, "kind", "hosts = ['example.com']\nkind");
    assert!(message.starts_with("`hosts` belongs to a target"), "{message}");
}

#[test]
fn a_manifest_that_would_be_too_large_is_refused_before_it_is_parsed() {
    let json = vec![b'['; MAX_MANIFEST_BYTES + 1];
    assert!(matches!(Manifest::from_json(&json), Err(InvalidManifest::TooLarge { .. })));
}
