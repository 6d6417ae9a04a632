//! The cases of a target adapter.

use std::time::Instant;

use alerts_domain::exchange::{Request, Step};
use alerts_domain::header::Headers;
use alerts_domain::secret::Secret;
use alerts_package::Manifest;
use alerts_sandbox::TargetDelivery;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};

use super::report::{Finding, Report, all, median};
use super::request::{accepted, host, lets_out, request_of};
use super::{answers, hostile, settings};
use crate::conversation::converse;
use crate::lab::Lab;
use crate::scene::{Props, Scene};
use crate::{AuthorError, compare, sample};

/// Fresh calls whose time is taken.
const TIMED_CALLS: usize = 21;
/// A tenant's own header; a target has no reason to drop it.
const TENANT_HEADER: (&str, &str) = ("x-team", "payments");

pub(super) fn check(
    lab: &Lab,
    given: Option<Map<String, Value>>,
    report: &mut Report<'_, '_>,
) -> Result<(), AuthorError> {
    let manifest = lab.manifest();
    let known = settings::known(manifest, given);
    report.case(
        "the settings schema takes the settings that are known to be good",
        settings::schema_takes(manifest, &known),
    );
    report.case("`check` takes them too", settings::check_takes(lab, &known));
    report.case(
        "`check` survives garbage, and its problems can be shown",
        settings::check_refuses_garbage(lab),
    );

    let settings = known.first().cloned().unwrap_or_default();
    let scene = set(manifest, settings)?;
    let told = scene.told(&sample::event())?;
    report.case(
        "the first step is a request that the host lets out",
        first_request(lab, &scene, &told),
    );
    for other in known.iter().skip(1) {
        let scene = set(manifest, other.clone())?;
        let promise = format!("so it is with the settings {}", Value::from(other.clone()));
        let told = scene.told(&sample::event())?;
        report.case(&promise, first_request(lab, &scene, &told));
    }
    report.case("the same call gives the same step", same_step(lab, &told));
    report.case("another seed or attempt changes no destination", other_seed(lab, &told));
    report.case("secrets are where the host can put them in", secrets(lab, &scene, &told));
    report.case("the tenant's own headers are sent", tenant_headers(lab, &scene, &told));
    answers::check(lab, &scene, &told, report);
    hostile::check(lab, &scene, report)?;
    report.case("a fresh call keeps well within its limits", cost(lab, &told));
    Ok(())
}

fn set(manifest: &Manifest, settings: Map<String, Value>) -> Result<Scene, AuthorError> {
    // Values that need escaping wherever they go.
    let secrets = manifest.secrets.iter().map(|slot| {
        let value = format!("sample \"{}\" \\ & = % / + '", slot.name);
        (slot.name.clone(), Secret::new(value))
    });
    let headers = Headers::from_iter([TENANT_HEADER]);
    let props = Props { settings, headers, secrets: secrets.collect(), ..Props::default() };
    Scene::set(manifest, props)
}

fn first_request(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Finding {
    let step = lab.next(told, &[]).map_err(|failed| failed.to_string())?;
    let Some(request) = request_of(&step) else {
        return Err(format!(
            "an ordinary alert is not sent: {}",
            compare::steps(&Step::Done(alerts_domain::exchange::Verdict::Delivered(None)), &step)
                .concat()
        ));
    };
    let sent = lets_out(scene, request)?;
    let last = if matches!(step, Step::SendLast(_)) { ", its only one" } else { "" };
    Ok(format!("{} to {}{last}", sent.method, host(&sent.url)))
}

fn same_step(lab: &Lab, told: &TargetDelivery) -> Finding {
    let next = |exchanges: &[_]| lab.next(told, exchanges).map_err(|failed| failed.to_string());
    let (first, again) = (next(&[])?, next(&[])?);
    let mut wrong = compare::steps(&first, &again);
    if let Step::Send(request) = first {
        let outcome = accepted();
        let done = [alerts_domain::exchange::Exchange { request, outcome }];
        wrong.extend(compare::steps(&next(&done)?, &next(&done)?));
    }
    if !wrong.is_empty() {
        wrong.push(
            "take nothing from outside the arguments: an attempt could not be replayed. For \
             randomness there is the delivery's `seed`; mind maps whose order is random"
                .to_owned(),
        );
    }
    all(wrong, "")
}

fn other_seed(lab: &Lab, told: &TargetDelivery) -> Finding {
    let others = [
        ("another seed", TargetDelivery { seed: !told.seed, ..told.clone() }),
        ("a later attempt", TargetDelivery { attempt: 7, ..told.clone() }),
        ("a later time", TargetDelivery { now_ms: told.now_ms + 86_400_000, ..told.clone() }),
    ];
    let next = |told: &_| lab.next(told, &[]).map_err(|failed| failed.to_string());
    let first = next(told)?;
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    for (what, other) in others {
        let other = next(&other)?;
        let place = |step: &Step| request_of(step).map(|r| (r.method.clone(), host(&r.url)));
        if place(&first) != place(&other) {
            wrong.push(format!(
                "{what} leads elsewhere: {}",
                compare::steps(&first, &other).join("; ")
            ));
        } else if first != other {
            let differences = compare::steps(&first, &other);
            let fields = differences.iter().filter_map(|line| line.split(':').next());
            notes.push(format!("{what} changes {}", fields.collect::<Vec<_>>().join(", ")));
        }
    }
    all(wrong, notes.join("; "))
}

/// All requests of an attempt in which everything is accepted.
fn requests(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Result<Vec<Request>, String> {
    let ended = converse(lab, told, scene.now(), |_, _, _| accepted());
    let ended = ended.map_err(|failed| failed.to_string())?;
    Ok(ended.exchanges.into_iter().map(|exchange| exchange.request).collect())
}

fn secrets(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Finding {
    let slots = &lab.manifest().secrets;
    let requests = requests(lab, scene, told)?;
    let texts: Vec<String> = requests.iter().map(whole_text).collect();
    let (mut wrong, mut used, mut unused) = (Vec::new(), 0, Vec::new());
    for (name, reference) in scene.references() {
        let intact = texts.iter().any(|text| text.contains(&reference));
        // Upper-cased, cut, or with something in between.
        let stem = format!("exosphere-secret-{name}").replace('_', "");
        let mangled = texts.iter().any(|text| {
            let rest = text.replace(&reference, "");
            rest.to_ascii_lowercase().replace('_', "").contains(&stem)
        });
        if texts.iter().any(|text| encoded(&reference, text)) {
            wrong.push(format!(
                "the reference to `{name}` is encoded in Base64, where the host does not find it: \
                 ask for the encoded value as the secret"
            ));
        } else if mangled {
            wrong.push(format!(
                "the reference to `{name}` is changed on its way into the request, so the host \
                 does not find it: write it as it is; the host escapes the value for its place"
            ));
        } else if intact {
            used += 1;
        } else if slots.iter().any(|slot| slot.name == name && slot.required) {
            wrong.push(format!(
                "the secret `{name}` is required, but no request has its reference: write \
                 `reference` where the value belongs, or do not require it"
            ));
        } else {
            unused.push(name);
        }
    }
    if lab.manifest().url_is_secret && !texts.iter().any(|text| text.contains(&told.endpoint.url)) {
        wrong.push(
            "the URL is a secret, but no request goes to it as it is: use the endpoint's `url` \
             unchanged"
                .to_owned(),
        );
    }
    let note = match (used, unused.as_slice()) {
        (0, []) => "none asked for".to_owned(),
        (used, []) => format!("{used} used"),
        (used, unused) => {
            format!("{used} used; not with these settings: {}", unused.join(", "))
        }
    };
    all(wrong, note)
}

fn whole_text(request: &Request) -> String {
    let mut text = format!("{}\n", request.url);
    for (name, value) in request.headers.iter() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&String::from_utf8_lossy(&request.body));
    text
}

/// Whether a text holds the reference in Base64, at any of the three places
/// that it can have in a group of bytes.
fn encoded(reference: &str, text: &str) -> bool {
    (0..3).any(|shift| {
        let bytes = [&vec![b' '; shift][..], reference.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(bytes);
        // The ends depend on the neighbours.
        text.contains(&encoded[4..encoded.len() - 4])
    })
}

fn tenant_headers(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Finding {
    let requests = requests(lab, scene, told)?;
    let (name, value) = TENANT_HEADER;
    if requests.iter().any(|request| request.headers.get(name) == Some(value)) {
        return Ok(String::new());
    }
    Err("the endpoint's `headers` are in no request: add those that yours has not".to_owned())
}

fn cost(lab: &Lab, told: &TargetDelivery) -> Finding {
    let mut times = Vec::with_capacity(TIMED_CALLS);
    for _ in 0..TIMED_CALLS {
        let began = Instant::now();
        lab.next(told, &[]).map_err(|failed| failed.to_string())?;
        times.push(began.elapsed());
    }
    let (used, limits) = (lab.last_use(), lab.limits());
    let note = format!(
        "{} µs, {} of {} units of fuel, {} KiB of {} KiB of memory",
        median(times).as_micros(),
        used.fuel,
        limits.target.fuel,
        used.memory_bytes / 1024,
        limits.memory_bytes / 1024
    );
    // A larger alert than the sample takes more.
    let tight =
        used.fuel > limits.target.fuel / 2 || used.memory_bytes > limits.memory_bytes / 4 * 3;
    if tight { Err(format!("an ordinary alert nearly takes it all: {note}")) } else { Ok(note) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_in_base64_is_found_wherever_it_stands() {
        let reference = "exosphere-secret-token-0123456789abcdef0123";
        for prefix in ["", "u:", "us:", "user:"] {
            let text = STANDARD_NO_PAD.encode(format!("{prefix}{reference}"));
            assert!(encoded(reference, &format!("Basic {text}")), "{prefix}");
        }
        assert!(!encoded(reference, reference));
    }
}
