//! Alerts that somebody made up to break an adapter, and alerts that say very
//! little. The host lets all of them in, so all of them must get out.

use alerts_domain::exchange::Step;
use alerts_domain::id::RuleId;
use serde_json::{Value, json};

use super::report::{Finding, Report, all};
use super::request::{accepted, lets_out, request_of};
use crate::conversation::converse;
use crate::lab::Lab;
use crate::scene::Scene;
use crate::{AuthorError, sample, show};

/// What is put wherever an event may have text.
const HOSTILE: [(&str, &str); 9] = [
    ("quotes and backslashes", "\"'\\`\\\"\\u0022"),
    ("control characters", "a\u{1}\u{8}\u{1b}[31m\u{7f}\u{85}b"),
    ("line breaks", "a\r\nx-injected: yes\r\n\r\nbody\nmore\u{2028}\u{2029}"),
    ("emoji", "🦀👩‍👩‍👧‍👦🏳️‍🌈\u{fe0f}"),
    ("right-to-left text", "\u{202e}evil\u{202c} \u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
    ("template placeholders", "${name} {{name}} {name} %s %n <%= x %> #{x}"),
    ("markup", "<script>alert(1)</script> <!channel> <@U1> [x](javascript:x) *b* _i_ &amp;"),
    ("URL parts", "?a=b&c=#frag/../..//@evil.example:80;%00%2e"),
    ("a secret's reference", "exosphere-secret-token-00000000000000000000"),
];

pub(super) fn check(
    lab: &Lab,
    scene: &Scene,
    report: &mut Report<'_, '_>,
) -> Result<(), AuthorError> {
    for (what, text) in HOSTILE {
        report.case(&format!("an alert full of {what}"), full_of(lab, scene, text)?);
    }
    report.case("an alert with 100 KB of text", large(lab, scene)?);
    report.case("alerts that say little", sparse(lab, scene)?);
    Ok(())
}

/// Text in each field that takes any, of the length that intake allows.
fn full_of(lab: &Lab, scene: &Scene, text: &str) -> Result<Finding, AuthorError> {
    let event = json!({
        "specversion": "1.0",
        "id": text,
        "source": format!("/{text}"),
        "type": "workflow.failed",
        "subject": text,
        "data": {
            "graph_name": text, "run_id": text, "status": text, "created_at": text,
            "finished_at": text, "failed_state_id": text, "node_name": text,
            "errored_count": text, text: text,
        },
    });
    let rule = Some(RuleId::new(scene.now(), 7));
    // A rule's name has no control characters; the host sees to that.
    let name: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut wrong = Vec::new();
    for include_data in [false, true] {
        let delivery = scene.of_rule(rule, &name, json!({"type": "event"}));
        // Where intake refuses such an attribute, the event keeps its plain one.
        let told = scene.told_of(&delivery, &event, include_data).or_else(|_| {
            scene.told_of(&delivery, &sample::event_with(event["data"].clone()), include_data)
        })?;
        wrong.extend(sent(lab, scene, &told).err());
    }
    wrong.dedup();
    Ok(all(wrong, ""))
}

fn large(lab: &Lab, scene: &Scene) -> Result<Finding, AuthorError> {
    let mut data = sample::data();
    data["graph_name"] = json!("n".repeat(100_000));
    data["error"] = json!("🦀\"\\\n".repeat(16_000));
    let delivery = scene.of_rule(None, &"r".repeat(200), json!({"type": "event"}));
    let told = scene.told_of(&delivery, &sample::event_with(data), true)?;
    if let Err(why) = sent(lab, scene, &told) {
        return Ok(Err(why));
    }
    Ok(lab.next(&told, &[]).map_err(|failed| failed.to_string()).map(|_| {
        let used = lab.last_use();
        format!("{} units of fuel, {} KiB of memory", used.fuel, used.memory_bytes / 1024)
    }))
}

/// A test alert has no rule, and an event need not be about a run at all.
fn sparse(lab: &Lab, scene: &Scene) -> Result<Finding, AuthorError> {
    let mut bare = sample::event();
    if let Some(bare) = bare.as_object_mut() {
        for attribute in ["data", "time", "subject"] {
            bare.remove(attribute);
        }
    }
    let mut other_type = sample::event();
    other_type["type"] = json!("com.example.anything.at-all");
    let events: Vec<(&str, Value)> = vec![
        ("no data, time and subject", bare),
        ("data null", sample::event_with(Value::Null)),
        ("data that is text", sample::event_with(json!("text"))),
        ("data that is a list", sample::event_with(json!([1, [2]]))),
        ("no fields of a run", sample::event_with(json!({"other": 1}))),
        ("null fields of a run", sample::event_with(json!({"graph_name": null, "run_id": null}))),
        ("numbers as names", sample::event_with(json!({"graph_name": 7, "run_id": 1.5e300}))),
        ("huge numbers", sample::event_with(json!({"duration_ms": u64::MAX, "errored_count": -1}))),
        ("another type", other_type),
    ];
    let triggers = [
        json!({"type": "event"}),
        json!({"type": "test"}),
        json!({"type": "duration", "exceeds_ms": 1000}),
        json!({"type": "threshold", "count": 5, "window_ms": 60_000}),
    ];
    let mut wrong = Vec::new();
    for (what, event) in &events {
        for trigger in &triggers {
            let delivery = scene.of_rule(None, "", trigger.clone());
            let told = scene.told_of(&delivery, event, true)?;
            if let Err(why) = sent(lab, scene, &told) {
                wrong.push(format!("{what}, trigger {trigger}: {why}"));
            }
        }
    }
    Ok(all(wrong, format!("{} kinds, each with {} triggers", events.len(), triggers.len())))
}

/// Whether the alert gets out, all of its requests.
fn sent(lab: &Lab, scene: &Scene, told: &alerts_sandbox::TargetDelivery) -> Result<(), String> {
    let step = lab.next(told, &[]).map_err(|failed| failed.to_string())?;
    if let (None, Step::Done(verdict)) = (request_of(&step), &step)
        && verdict.word() != "delivered"
    {
        return Err(format!("it is not sent: {}", show::verdict(verdict)));
    }
    let ended = converse(lab, told, scene.now(), |_, _, _| accepted());
    for exchange in ended.map_err(|failed| failed.to_string())?.exchanges {
        lets_out(scene, &exchange.request)?;
    }
    Ok(())
}
