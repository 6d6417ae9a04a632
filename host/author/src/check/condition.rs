//! The cases of a condition language.

use std::time::Instant;

use alerts_domain::condition::Condition;
use alerts_sandbox::{CallError, ConditionError, Diagnostic};
use serde_json::{Value, json};

use super::report::{Finding, Report, all, median, short};
use crate::lab::Lab;
use crate::sample;

/// Sources that are good in some language or other, for an author who names none.
const GUESSES: [&str; 10] = [
    "true",
    "data.status == 'FAILED'",
    "event.data.status == 'FAILED'",
    r#"{"==": [{"var": "event.data.status"}, "FAILED"]}"#,
    r#"{"==": [{"var": "data.status"}, "FAILED"]}"#,
    r#"{"==": [1, 1]}"#,
    "/data/flag",
    "$.data.status",
    ".data.status == \"FAILED\"",
    "1 == 1",
];

/// Evaluations whose time is taken.
const TIMED_CALLS: usize = 101;

pub(super) fn check(lab: &Lab, given: &[String], report: &mut Report<'_, '_>) {
    report.case("an empty source gives a program or diagnostics", empty(lab));
    report.case("garbage gives diagnostics that point into the source", garbage(lab));
    let (known, finding) = known(lab, given);
    report.case("the sources that are known to be good compile", finding);
    report.case("compiling again gives the same", compiles_the_same(lab, &known));
    if known.is_empty() {
        report.note("without a source that compiles nothing is evaluated: give `--source`");
        return;
    }
    report.case("any event gives a verdict or an error", events(lab, &known));
    report.case("the same event gives the same verdict", same_verdict(lab, &known));
    report.case("a verdict does not depend on its neighbours", neighbours(lab, &known));
    report.case("three hundred conditions at once", many(lab, &known));
    report.case("calls keep well within their limits", cost(lab, &known));
}

/// Whether the sandbox ended a call that was too much. That is what limits are
/// for; a crash is the plugin's own.
fn is_limit(error: &CallError) -> bool {
    match error {
        CallError::OutOfFuel { .. } | CallError::Deadline { .. } | CallError::Memory { .. } => true,
        // The stack has a bound as well; wasmtime tells of it as of any trap.
        CallError::Trap { cause, .. } => cause.contains("call stack exhausted"),
        _ => false,
    }
}

fn failed(error: CallError) -> String {
    error.to_string()
}

/// Whether diagnostics can be shown under the source.
fn malformed(source: &str, diagnostics: &[Diagnostic]) -> Vec<String> {
    let of = short(source);
    if diagnostics.is_empty() {
        return vec![format!("`{of}` is refused without a diagnostic: say why")];
    }
    let mut wrong = Vec::new();
    for Diagnostic { message, offset, length } in diagnostics {
        if message.trim().is_empty() {
            wrong.push(format!("`{of}`: a diagnostic has no message"));
        }
        let (start, end) = (*offset as usize, *offset as usize + *length as usize);
        if end > source.len() {
            wrong.push(format!(
                "`{of}`: a diagnostic points to bytes {start}..{end} of {}: keep it within the \
                 source",
                source.len()
            ));
        } else if !source.is_char_boundary(start) || !source.is_char_boundary(end) {
            wrong.push(format!(
                "`{of}`: a diagnostic points into the middle of a character, to bytes \
                 {start}..{end}: offsets are in bytes, at whole characters"
            ));
        }
    }
    wrong
}

fn empty(lab: &Lab) -> Finding {
    Ok(match lab.compile("").map_err(failed)? {
        Ok(()) => "a program".to_owned(),
        Err(diagnostics) => {
            let wrong = malformed("", &diagnostics);
            let first = diagnostics.first().map(|d| short(&d.message)).unwrap_or_default();
            return all(wrong, first);
        }
    })
}

fn garbage(lab: &Lab) -> Finding {
    const MOST: usize = Condition::MAX_SOURCE_BYTES;
    let nested = |open: &str, close: &str| {
        let depth = MOST / (open.len() + close.len());
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    let sources = [
        " \t\r\n".to_owned(),
        "(((".to_owned(),
        "\"unterminated".to_owned(),
        "'\\".to_owned(),
        "== && ||".to_owned(),
        "\u{0}\u{1}\u{7f}".to_owned(),
        "🦀 == 🦀🦀 &&".to_owned(),
        "ü ö \u{202e} ß ==".to_owned(),
        "data.".to_owned(),
        "9".repeat(MOST),
        "a".repeat(MOST),
        "(".repeat(MOST),
        "!".repeat(MOST),
        "-".repeat(MOST),
        "[".repeat(MOST),
        "{".repeat(MOST),
        "🦀".repeat(MOST / 4),
        nested("(", ")"),
        nested("[", "]"),
        nested("{\"!\":[", "]}"),
        nested("{\"a\":", "}"),
        format!("1{}", "+1".repeat((MOST - 1) / 2)),
        format!("a{}", ".a".repeat((MOST - 1) / 2)),
        format!("true{}", "||true".repeat((MOST - 4) / 6)),
        r#"{"==": }"#.to_owned(),
        r#"{"no such operator \u0000": [1]}"#.to_owned(),
        "${x} {{x}}".to_owned(),
        "a\u{0301}\u{0301}\u{0301} ==".to_owned(),
    ];
    let (mut wrong, mut refused, mut limited) = (Vec::new(), 0, 0);
    for source in &sources {
        match lab.compile(source) {
            Err(error) if is_limit(&error) => limited += 1,
            Err(error) => wrong.push(format!("`{}`: {error}", short(source))),
            Ok(Ok(())) => {}
            Ok(Err(diagnostics)) => {
                refused += 1;
                wrong.extend(malformed(source, &diagnostics));
            }
        }
    }
    if refused == 0 && wrong.is_empty() {
        wrong.push("nothing at all is refused: a mistake would show only when a run fails".into());
    }
    let limited = match limited {
        0 => String::new(),
        limited => format!(", {limited} ended by a limit"),
    };
    all(wrong, format!("{refused} of {} refused{limited}", sources.len()))
}

/// Sources that compile, of those given or guessed.
fn known(lab: &Lab, given: &[String]) -> (Vec<String>, Finding) {
    let guessed = given.is_empty();
    let candidates: Vec<String> =
        if guessed { GUESSES.map(str::to_owned).to_vec() } else { given.to_vec() };
    let (mut known, mut wrong) = (Vec::new(), Vec::new());
    for source in candidates {
        match lab.compile(&source) {
            Err(error) => wrong.push(format!("`{}`: {error}", short(&source))),
            Ok(Ok(())) => known.push(source),
            Ok(Err(_)) if guessed => {}
            Ok(Err(diagnostics)) => {
                let first = diagnostics.first().map(|d| d.message.as_str()).unwrap_or_default();
                wrong.push(format!("`{}`: {first}", short(&source)));
            }
        }
    }
    if known.is_empty() && wrong.is_empty() {
        wrong.push("none of the usual conditions is one here: give some with `--source`".into());
    }
    let note = known.iter().map(|source| short(source)).collect::<Vec<_>>().join(" · ");
    (known, all(wrong, note))
}

fn compiles_the_same(lab: &Lab, known: &[String]) -> Finding {
    let mut wrong = Vec::new();
    let sources = known.iter().map(String::as_str).chain(["(((", "", "🦀 ==", "data."]);
    for source in sources {
        let (first, again) =
            (lab.compile(source).map_err(failed)?, lab.compile(source).map_err(failed)?);
        if first != again {
            wrong.push(format!(
                "`{}` gave {first:?}, then {again:?}: take nothing from outside the source",
                short(source)
            ));
        }
    }
    all(wrong, "")
}

/// Events as intake may let them in.
fn odd_events() -> Vec<(&'static str, Vec<u8>)> {
    let with = |data: Value| sample::event_with(data).to_string().into_bytes();
    let mut bare = sample::event();
    if let Some(bare) = bare.as_object_mut() {
        bare.retain(|name, _| ["specversion", "id", "source", "type"].contains(&name.as_str()));
    }
    let in_data = |json: &str| {
        let text = sample::event_with(json!("DATA")).to_string();
        text.replace("\"DATA\"", json).into_bytes()
    };
    let deep =
        |depth: usize| in_data(&format!("{}1{}", "{\"status\":".repeat(depth), "}".repeat(depth)));
    vec![
        ("the usual", sample::event().to_string().into_bytes()),
        ("no data", bare.to_string().into_bytes()),
        ("data null", with(Value::Null)),
        ("data false", with(json!(false))),
        ("data text", with(json!("text"))),
        ("data list", with(json!([1, "2", [3], {}]))),
        ("data empty", with(json!({}))),
        ("fields of other types", with(json!({"status": 7, "errored_count": "4", "flag": []}))),
        ("null fields", with(json!({"status": null, "flag": null}))),
        (
            "odd names",
            with(json!({"": 1, "a.b": 2, "a/b": 3, "\u{0}": 4, "🦀": 5, "__proto__": 6})),
        ),
        ("odd text", with(json!({"status": "\u{0}\"\\\r\n\u{202e}🦀${x}{{x}}"}))),
        ("nested 100 deep", deep(100)),
        ("nested 10 000 deep", deep(10_000)),
        (
            "huge numbers",
            in_data(
                r#"{"a":1e400,"b":-1e400,"c":18446744073709551616,"d":-9223372036854775809,"e":0.1e-400,"status":123456789012345678901234567890.5}"#,
            ),
        ),
        ("repeated names", in_data(r#"{"status":"FAILED","status":"OK"}"#)),
        ("lone surrogates", in_data(r#"{"status":"\ud800"}"#)),
        ("200 KB of text", with(json!({"status": "x".repeat(200_000)}))),
        (
            "ten thousand fields",
            with(Value::Object((0..10_000).map(|n| (format!("f{n}"), json!(n))).collect())),
        ),
    ]
}

fn events(lab: &Lab, known: &[String]) -> Finding {
    let sources: Vec<&str> = known.iter().map(String::as_str).collect();
    let events = odd_events();
    let (mut wrong, mut limited) = (Vec::new(), Vec::new());
    for (what, event) in &events {
        match lab.evaluate(&sources, event.clone()) {
            Err(error) => wrong.push(format!("{what}: {error}")),
            Ok(verdicts) => {
                for (source, verdict) in sources.iter().zip(verdicts) {
                    match verdict {
                        Ok(_) => {}
                        Err(ConditionError::Failed(error)) if is_limit(&error) => {
                            limited.push(format!("{what} for `{}`", short(source)));
                        }
                        Err(ConditionError::Evaluation { message }) => {
                            if message.trim().is_empty() {
                                wrong.push(format!(
                                    "{what}, `{source}`: an error without a message"
                                ));
                            }
                        }
                        Err(error) => wrong.push(format!("{what}, `{source}`: {error}")),
                    }
                }
            }
        }
    }
    let mut note = format!("{} kinds", events.len());
    if !limited.is_empty() {
        note.push_str(&format!("; ended by a limit: {}", limited.join(", ")));
    }
    all(wrong, note)
}

type Verdicts = Vec<Result<bool, ConditionError>>;

fn verdicts(lab: &Lab, sources: &[&str], event: &[u8]) -> Result<Verdicts, String> {
    lab.evaluate(sources, event.to_vec()).map_err(failed)
}

fn same_verdict(lab: &Lab, known: &[String]) -> Finding {
    let mut wrong = Vec::new();
    for (what, event) in odd_events() {
        for source in known {
            let first = verdicts(lab, &[source], &event)?;
            let again = verdicts(lab, &[source], &event)?;
            if first != again {
                wrong.push(format!(
                    "{what}, `{source}`: {first:?}, then {again:?}: keep nothing from one \
                     evaluation to the next"
                ));
            }
        }
    }
    all(wrong, "")
}

/// Alone, in company, in another order, and beside a source that is none.
fn neighbours(lab: &Lab, known: &[String]) -> Finding {
    let mut wrong = Vec::new();
    let forward: Vec<&str> = known.iter().map(String::as_str).chain(["((("]).collect();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    for (what, event) in odd_events() {
        let together = verdicts(lab, &forward, &event)?;
        let mut reversed = verdicts(lab, &backward, &event)?;
        reversed.reverse();
        for (index, source) in known.iter().enumerate() {
            let alone = verdicts(lab, &[source], &event)?;
            if alone.first() != together.get(index) || alone.first() != reversed.get(index) {
                wrong.push(format!(
                    "{what}, `{source}`: alone {:?}, in company {:?} and {:?}: programs of one \
                     instance must not share anything that changes",
                    alone.first(),
                    together.get(index),
                    reversed.get(index)
                ));
            }
        }
    }
    all(wrong, "")
}

fn many(lab: &Lab, known: &[String]) -> Finding {
    const MANY: usize = 300;
    let sources: Vec<&str> = known.iter().map(String::as_str).cycle().take(MANY).collect();
    let event = sample::event().to_string().into_bytes();
    let together = verdicts(lab, &sources, &event)?;
    let alone = verdicts(lab, &sources[..known.len()], &event)?;
    let differs = together.iter().zip(alone.iter().cycle()).filter(|(a, b)| a != b).count();
    if differs == 0 {
        return Ok(String::new());
    }
    Err(format!("{differs} of {MANY} verdicts differ from those of each condition alone"))
}

fn cost(lab: &Lab, known: &[String]) -> Finding {
    let source = &known[0];
    let event = sample::event().to_string().into_bytes();
    let limits = lab.limits();
    lab.compile(source).map_err(failed)?.map_err(|_| "it no longer compiles".to_owned())?;
    let compiled = lab.last_use();
    let mut times = Vec::with_capacity(TIMED_CALLS);
    for _ in 0..TIMED_CALLS {
        let began = Instant::now();
        verdicts(lab, &[source], &event)?;
        times.push(began.elapsed());
    }
    let used = lab.last_use();
    let note = format!(
        "`{}`: {} µs and {} of {} units of fuel for one event, {} of {} to compile, {} KiB of {} \
         KiB of memory",
        short(source),
        median(times).as_micros(),
        used.fuel,
        limits.condition.fuel,
        compiled.fuel,
        limits.compile.fuel,
        used.memory_bytes / 1024,
        limits.memory_bytes / 1024
    );
    // A call holds for hundreds of conditions.
    let tight = used.fuel > limits.condition.fuel / 20
        || compiled.fuel > limits.compile.fuel / 4
        || used.memory_bytes > limits.memory_bytes / 4 * 3;
    if tight { Err(format!("a simple condition takes too much: {note}")) } else { Ok(note) }
}
