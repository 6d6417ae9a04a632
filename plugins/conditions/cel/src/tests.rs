mod extensions;
mod numbers;
mod refusals;
mod times;

use super::*;

const EVENT_JSON: &[u8] = br#"{
    "specversion": "1.0", "id": "run-7:1", "source": "/v0/namespace/prod",
    "type": "workflow.failed", "subject": "graph/etl/run/7", "time": "2026-01-01T00:00:00Z",
    "data": {
        "graph_name": "etl", "errored_count": 4, "ratio": 0.5, "big": 18446744073709551615,
        "name": "a \"quoted\" name", "tags": ["a", "b"], "none": null, "ok": true
    }
}"#;

fn evaluate(source: &str) -> Result<bool, String> {
    let program = Cel::compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let scope = Cel::parse_event(EVENT_JSON).unwrap();
    program.evaluate(&scope).map_err(|error| error.message)
}

/// With the data in the event.
fn evaluate_on(source: &str, data: &str) -> Result<bool, String> {
    let program = Cel::compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let event =
        format!(r#"{{"type": "workflow.failed", "time": "2026-01-01T00:00:00Z", "data": {data}}}"#);
    let event = Cel::parse_event(event.as_bytes()).unwrap();
    program.evaluate(&event).map_err(|error| error.message)
}

/// Compiled although the check may refuse it.
fn unchecked(source: &str) -> Cel {
    let (expression, _) = parse(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    Cel::adopt(expression)
}

fn diagnostics(source: &str) -> Vec<Diagnostic> {
    Cel::compile(source).err().unwrap_or_else(|| panic!("{source} compiles"))
}

#[test]
fn conditions_that_hold() {
    for source in [
        "true",
        "event.type == 'workflow.failed'",
        "event.data.graph_name == 'etl' && event.data.errored_count > 3",
        "event.data.graph_name in ['etl', 'train']",
        "event.subject.startsWith('graph/etl/')",
        "event.data.name == 'a \"quoted\" name'",
        "event.data.graph_name.matches('^e.l$')",
        "has(event.data.ratio) && !has(event.data.missing)",
        "event.data.tags.exists(t, t == 'b') && size(event.data.tags) == 2",
        "event.data.tags.all(t, t != 'c')",
        "event.data.tags.map(t, t + '!') == ['a!', 'b!']",
        "event.data.none == null && event.data.ok",
        "event['data']['errored_count'] == 4",
        "type(event.data.errored_count) == int && type(event.data.ratio) == double",
        "event.data.missing == 1 || event.data.ok",
        "int(event.data.ratio) == 0 && string(event.data.errored_count) == '4'",
        "event.data == event.data",
        "optional.of(1).hasValue()",
        "event.?data.?missing.orValue(7) == 7",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
}

#[test]
fn numbers_compare_whatever_their_json_form() {
    for source in [
        "event.data.errored_count > 3.5",
        "event.data.errored_count == 4.0",
        "event.data.ratio < 1",
        "event.data.big > 3",
        "event.data.errored_count + 1 == 5",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
}

#[test]
fn a_missing_field_is_an_error_that_says_how_to_guard_it() {
    let message = evaluate("event.data.missing > 3").unwrap_err();
    assert!(message.contains("no field `missing`") && message.contains("has("), "{message}");
}

#[test]
fn a_result_that_is_not_a_boolean_is_an_error_that_names_its_type() {
    for (source, name) in
        [("event.data.errored_count", "`int`"), ("event.data.graph_name", "`string`")]
    {
        let message = evaluate(source).unwrap_err();
        assert!(message.contains(name) && message.contains("`bool`"), "{message}");
    }
}

#[test]
fn operands_that_do_not_compare_are_an_error_not_a_verdict() {
    assert!(evaluate("event.data.graph_name > 3").is_err());
}

#[test]
fn a_source_that_does_not_parse_is_refused_with_its_place() {
    let found = diagnostics("event.type == 'x' &&");
    assert_eq!((found[0].offset, found[0].length), (20, 0), "{found:?}");
    let found = diagnostics("true &&\n  event.'x'");
    assert_eq!(found[0].offset, 16, "{found:?}");
    assert!(!diagnostics("").is_empty());
}

#[test]
fn a_place_is_counted_in_bytes() {
    let found = diagnostics("'ü' == nope");
    assert_eq!((found[0].offset, found[0].length), (8, 4), "{found:?}");
    let found = diagnostics("'ü' == )");
    assert_eq!((found[0].offset, found[0].length), (8, 1), "{found:?}");
}

#[test]
fn names_that_nothing_stands_behind_are_refused_when_the_rule_is_saved() {
    for (source, offset, length, name) in [
        ("evnt.type == 'x'", 0, 4, "`evnt`"),
        ("true || data.graph_name == 'x'", 8, 4, "`data`"),
        ("event.data.tags.exists(t, u == 'b')", 26, 1, "`u`"),
        ("sizeof(event.data.tags) > 1", 0, 6, "`sizeof`"),
        ("event.type.startsWith('w') && nope (1)", 30, 4, "`nope`"),
        ("event.type.beginsWith('w')", 11, 10, "`beginsWith`"),
    ] {
        let found = diagnostics(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert!(found[0].message.contains(name), "{source}: {found:?}");
        assert_eq!((found[0].offset, found[0].length), (offset, length), "{source}: {found:?}");
    }
}

#[test]
fn an_event_that_is_not_a_json_object_is_an_error() {
    for event in [&b"[]"[..], b"{", b"", b"{} {}"] {
        assert!(Cel::parse_event(event).is_err());
    }
}

#[test]
fn the_shortcut_says_what_the_interpreter_says_wherever_it_says_anything() {
    let operands = [
        "event.type",
        "event.data.graph_name",
        "event.data.errored_count",
        "event.data.ratio",
        "event.data.big",
        "event.data.none",
        "event.data.ok",
        "event.data.tags",
        "event.data",
        "event['data']['ok']",
        "event.data.missing",
        "event.missing.deeper",
        "event.type.deeper",
        "has(event.data.ok)",
        "has(event.data.missing)",
        "has(event.missing.deeper)",
        "'etl'",
        "''",
        "4",
        "-1",
        "0",
        "4u",
        "4.0",
        "0.5",
        "9223372036854775807",
        "null",
        "true",
        "false",
        "['etl', 'a']",
        "[4, 0.5]",
        "[null, 'a']",
        "event.data.errored_count + 1",
        "event.data.errored_count * 9223372036854775807",
        "4 / 0",
        "7 % 3 - 1",
        "b'etl'",
        "9007199254740993",
        "9007199254740992.0",
        "event.data.ratio * 4",
        "event.data.big - 1",
    ];
    let operators = [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "in",
        "+",
        ".startsWith",
        ".endsWith",
        ".contains",
        ".matches",
    ];
    let event = Cel::parse_event(EVENT_JSON).unwrap();
    let (mut shortcuts, mut conditions) = (0, 0);
    let mut check = |source: String| {
        let program = unchecked(&source);
        conditions += 1;
        if let Some(verdict) = program.shortcut.verdict(&event.tree) {
            shortcuts += 1;
            assert_eq!(program.interpret(&event).ok(), Some(verdict), "{source}");
        }
    };
    for left in operands {
        check(left.into());
        check(format!("!({left})"));
        for right in operands {
            for operator in operators {
                check(format!("({left}){operator}({right})"));
            }
            check(format!("({left}) == 4 && ({right}) == 'etl' || !(({left}) in ['etl'])"));
        }
    }
    // Most of these are nonsense, so most are the interpreter's to refuse.
    assert!(shortcuts * 20 > conditions, "the shortcut took {shortcuts} of {conditions}");
}

#[test]
fn plain_conditions_take_the_shortcut() {
    let event = Cel::parse_event(EVENT_JSON).unwrap();
    for source in [
        "event.data.graph_name == 'etl' && event.data.errored_count > 3",
        "event.data.graph_name in ['etl', 'train']",
        "event.subject.startsWith('graph/etl/') || event.data.missing > 3",
        "has(event.data.ratio) && event.data.ratio < 0.9",
        "event.data.errored_count * 100 / event.data.errored_count >= 5",
        "'a' in event.data.tags",
        "event.data.ok || event.data.tags.exists(t, t == 'b')",
        "event.data.ratio * 100 >= 50.0 && event.data.errored_count % 2 == 0",
        "event.data.graph_name.matches('^e.l$')",
        "event.data.big > 3",
        "event.data.`graph_name` == 'etl'",
    ] {
        assert_eq!(
            Cel::compile(source).unwrap().shortcut.verdict(&event.tree),
            Some(true),
            "{source}"
        );
    }
}

#[test]
fn the_last_of_repeated_fields_holds_with_and_without_the_shortcut() {
    let event = Cel::parse_event(br#"{"type":"a","type":"b"}"#).unwrap();
    let program = Cel::compile("event.type == 'b'").unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(program.shortcut.verdict(&event.tree), Some(true));
    assert_eq!(program.interpret(&event), Ok(true));
}

#[test]
fn a_source_that_is_too_deep_or_too_long_is_refused_with_its_place() {
    let most = 8192;
    let chain = |first: &str, next: &str| {
        let count = (most - first.len()) / next.len();
        first.to_owned() + &next.repeat(count)
    };
    for (source, what) in [
        (chain("a", ".a"), "nested deeper than 64 levels"),
        (chain("event", "['a']"), "nested deeper than 64 levels"),
        (chain("", "("), "nested deeper than 64 levels"),
        (chain("", "["), "nested deeper than 64 levels"),
        (chain("", "{"), "nested deeper than 64 levels"),
        (chain("", "!"), "nested deeper than 64 levels"),
        (chain("", "-"), "nested deeper than 64 levels"),
        (chain("1", "+1"), "nested deeper than 64 levels"),
        (chain("true", "?true:true"), "nested deeper than 64 levels"),
        (chain("", "1,"), "longer than 2400 words"),
        (chain("", "`"), "longer than 2400 words"),
    ] {
        let found = diagnostics(&source);
        assert_eq!(found.len(), 1, "{}", &source[..10]);
        assert!(found[0].message.contains(what), "{found:?}");
        assert!(found[0].length > 0 && found[0].offset + found[0].length <= 8192, "{found:?}");
    }
    assert!(diagnostics(&"🦀".repeat(2_000)).len() <= 16);
}

#[test]
fn a_long_chain_of_alternatives_compiles_and_holds() {
    let chain: Vec<_> = (0..200).map(|n| format!("event.data.graph_name == 'g{n}'")).collect();
    assert_eq!(evaluate(&chain.join(" || ")), Ok(false));
    assert_eq!(evaluate(&(chain.join(" || ") + " || event.data.graph_name == 'etl'")), Ok(true));
    // And without the shortcut.
    let chain: Vec<_> =
        (0..100).map(|n| format!("event.data.graph_name.matches('g{n}')")).collect();
    assert_eq!(
        evaluate(&(chain.join(" || ") + " || event.data.tags.exists(t, t == 'b')")),
        Ok(true)
    );
}

#[test]
fn a_part_of_the_event_gives_the_verdict_of_the_whole() {
    let event = Cel::parse_event(EVENT_JSON).unwrap();
    let whole = scope(event::whole(&event.tree));
    for source in [
        "event.data.errored_count.matches('x')",
        "event.data.missing == 1",
        "event.missing.deeper == 1",
        "event.type.deeper == 1",
        "has(event.data)",
        "has(event.data.missing) || has(event.data.tags)",
        "has(event.type.deeper)",
        "event.data.tags[1] == 'b'",
        "event.data.tags['a'] == 'b'",
        "event['data'].tags.size() == 2",
        "event.?data.?missing.orValue(7) == 7",
        "event.data[?'ratio'].hasValue()",
        "event.data.tags.exists(event, event == 'b')",
        "event.data.tags.all(t, t in event.data.tags)",
        "size(event) == 7",
        "event.data.exists(k, k == 'ok')",
        "{'a': event.data.ok}.a",
        "[event.data.ok][0]",
        "event[event.data.name] == 1",
        ".event.data.ok && string(event.data.big) == '18446744073709551615'",
    ] {
        let program = unchecked(source);
        let text = |verdict: Result<bool, EvalError>| verdict.map_err(|error| error.message);
        let whole = text(program.interpret_in(&whole));
        assert_eq!(text(program.interpret(&event)), whole, "{source}");
    }
}
