//! What is refused when it is written, and where.

use super::*;

#[test]
fn what_cannot_be_a_truth_value_is_refused() {
    for (source, offset, length) in [
        ("1+1", 0, 1),
        ("'a'", 0, 3),
        ("null", 0, 4),
        ("[]", 0, 1),
        ("event", 0, 5),
        ("size(event.data.s)", 0, 4),
        ("true && 1", 8, 1),
        ("1 > 'a'", 2, 1),
        ("!1", 1, 1),
        ("event.type", 0, 5),
        ("event.data.a + event.data.b", 0, 5),
        ("event.data.tags.map(t, t)", 0, 5),
        ("event.data.ok ? 'a' : 'b'", 16, 3),
        ("event.data.ok ? true : 1", 23, 1),
        ("event.data.tags.filter(t, 1) == []", 26, 1),
        ("timestamp(event.time)", 0, 9),
    ] {
        let found = diagnostics(source);
        assert_eq!((found[0].offset, found[0].length), (offset, length), "{source}: {found:?}");
    }
}

#[test]
fn what_may_be_a_truth_value_is_not() {
    for source in [
        "event.data.ok",
        "event['data'].ok",
        "event.data.ok ? event.data.a : event.data.b",
        "event.data.list[0]",
        "event.data.tags.exists(t, t)",
        "{'a': true}[event.type]",
        "optional.of(true).orValue(false)",
        "cel.bind(x, event.data.ok, x)",
        "event.traceparent == 'x'",
        "event['date'] == 'x'",
        "event.data.none == null || event.subject == null",
        "[1, 'a', event.type].exists(x, x == 2)",
    ] {
        assert!(Cel::compile(source).is_ok(), "{source}: {:?}", diagnostics(source));
    }
}

#[test]
fn operands_of_types_that_never_go_together_are_refused_with_what_to_write() {
    for (source, offset, part) in [
        ("event.time > timestamp('2026-01-01T00:00:00Z')", 11, "timestamp(event.time)"),
        ("event.type == 5", 11, "always"),
        ("event.type + 1 == 'a'", 11, "string(…)"),
        ("event.data.x in event.type", 13, "contains"),
        ("event.type.startsWith(1)", 11, "`string.startsWith(string)`"),
        ("size(1) == 1", 0, "size("),
        ("event.type.name == 'x'", 11, "no fields"),
        ("[1, 2]['a'] == 1", 6, "number"),
        ("-event.type == 1", 0, "`-`"),
        ("null < 1", 5, "`null`"),
    ] {
        let found = diagnostics(source);
        assert_eq!((found.len(), found[0].offset), (1, offset), "{source}: {found:?}");
        assert!(found[0].message.contains(part), "{source}: {found:?}");
    }
}

#[test]
fn a_pattern_that_does_not_compile_is_refused_at_its_place() {
    for (pattern, part) in [
        ("(prod|stag", "unclosed group"),
        ("a{1,100000}", "too large"),
        ("((a{1,99}){1,99}){1,99}", "too large"),
        (r"\\w{1,1000}", "too large"),
        ("[z-a]", "invalid"),
        (r"(?P<n>a)\\1", "backreferences"),
    ] {
        for source in [
            format!("event.data.node_name.matches('{pattern}')"),
            format!("  matches (event.data.node_name, '{pattern}')"),
        ] {
            let found = diagnostics(&source);
            let at = u32::try_from(source.find("'").unwrap()).unwrap();
            assert_eq!((found.len(), found[0].offset), (1, at), "{source}: {found:?}");
            assert!(found[0].message.contains(part), "{source}: {found:?}");
        }
    }
}

#[test]
fn patterns_that_people_write_are_taken_also_within_macros() {
    let data = r#"{"mail": "a.b@example.org", "mails": ["x", "a.b@example.org"]}"#;
    let mail = r"'^[\\w.-]+@[\\w.-]+\\.\\w{2,10}$'";
    for source in [
        format!("event.data.mail.matches({mail})"),
        format!("event.data.mails.exists(m, m.matches({mail}))"),
        "event.type.matches('(?i)^WORK[a-z.]{1,40}$')".to_owned(),
        r"event.time.matches('^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}')".to_owned(),
    ] {
        assert_eq!(evaluate_on(&source, data), Ok(true), "{source}");
    }
}

#[test]
fn a_pattern_that_an_event_brings_is_bounded_as_well() {
    let message = evaluate_on("event.type.matches(event.data.p)", r#"{"p": "a{1,100000}"}"#);
    assert!(message.unwrap_err().contains("too large"));
    assert_eq!(evaluate_on("event.type.matches(event.data.p)", r#"{"p": "^work"}"#), Ok(true));
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    for (source, name, meant) in [
        ("event.tpye == 'x'", "tpye", "did you mean `type`"),
        ("has(event.subjct)", "subjct", "did you mean `subject`"),
        ("event.?dta.?a.hasValue()", "dta", "did you mean `data`"),
        ("event.graph_name == 'x'", "graph_name", "`event.data.graph_name`"),
        ("evnt.type == 'x'", "evnt", "did you mean `event`"),
        ("event.type.startswith('w')", "startswith", "did you mean `startsWith`"),
        ("event.data.tags.exits(t, t == 'a')", "exits", "did you mean `exists`"),
        ("sise(event.data.tags) > 1", "sise", "did you mean `size`"),
        ("math.absolute(event.data.n) > 1", "absolute", "unknown function"),
        ("math.flor(event.data.n) > 1", "flor", "did you mean `math.floor`"),
        ("event.data.tags.all(item, itm == 'a')", "itm", "did you mean `item`"),
    ] {
        let found = diagnostics(source);
        let at = u32::try_from(source.find(name).unwrap()).unwrap();
        let length = u32::try_from(name.len()).unwrap();
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert_eq!((found[0].offset, found[0].length), (at, length), "{source}: {found:?}");
        assert!(found[0].message.contains(meant), "{source}: {found:?}");
    }
}
