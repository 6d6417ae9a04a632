use super::*;

/// Where a diagnostic points, as the text that stands there.
fn pointed<'s>(rule: &'s str, found: &Diagnostic) -> &'s str {
    let start = found.offset as usize;
    &rule[start..start + found.length as usize]
}

#[test]
fn a_source_that_is_not_json_is_refused_with_its_place() {
    for (rule, offset) in [
        ("", 0),
        ("event.type == 'x'", 0),
        (r#"{"==": [1, 1],}"#, 14),
        (r#"{"==": [1, 1]"#, 13),
        ("{\"==\":\n  [1, nope]}", 14),
        (r#"{"==": ["ü", nope]}"#, 15),
        (r#"{"==": [1, 1]} true"#, 15),
        (r#"{"==": ["\ud800", 1]}"#, 15),
    ] {
        let found = diagnostics(rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(found[0].message.contains("not JSON"), "{found:?}");
        assert_eq!((found[0].offset, found[0].length), (offset, 0), "{rule}: {found:?}");
    }
}

#[test]
fn an_operator_that_does_not_exist_is_refused_with_its_place() {
    for (rule, name) in [
        (r#"{"equals": [1, 1]}"#, "equals"),
        (r#"{"and": [true, {"starts_with": ["ü", {"var": "event.type"}]}]}"#, "starts_with"),
        (r#"{"some": [{"var": "event.data.tags"}, {"is": 1}]}"#, "is"),
        (r#"{"==": [{"log": 1}, 1]}"#, "log"),
        (r#"{"js ==": [1, 1]}"#, "js =="),
        (r#"{"": 1}"#, ""),
    ] {
        let found = diagnostics(rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(found[0].message.contains(&format!("unknown operator `{name}`")), "{found:?}");
        assert_eq!(pointed(rule, &found[0]), name, "{rule}");
    }
}

#[test]
fn the_clock_is_out_of_reach() {
    let rule = r#"{">": [{"now": []}, {"var": "event.time"}]}"#;
    let found = diagnostics(rule);
    assert!(found[0].message.contains("reads the clock"), "{found:?}");
    assert_eq!(pointed(rule, &found[0]), "now");
    for operator in ["datetime", "timestamp", "date_diff", "parse_date", "fractional", "random"] {
        diagnostics(&format!(r#"{{"{operator}": ["2026-01-01T00:00:00Z"]}}"#));
    }
}

#[test]
fn a_name_that_nothing_stands_behind_is_refused_with_its_place() {
    for (rule, name) in [
        (r#"{"var": "data.graph_name"}"#, "data.graph_name"),
        (r#"{"var": ["evnt.type", "x"]}"#, "evnt.type"),
        (r#"{"val": ["data", "graph_name"]}"#, "data"),
        (r#"{"val": "event.type"}"#, "event.type"),
        (r#"{"missing": ["event.type", "type"]}"#, "type"),
        (r#"{"missing": [["type"]]}"#, "type"),
        (r#"{"missing_some": [1, ["event.type", "type"]]}"#, "type"),
        (r#"{"map": [{"var": "tags"}, {"var": "n"}]}"#, "tags"),
        (r#"{"reduce": [{"var": "event.data.tags"}, {"var": "current"}, {"var": "n"}]}"#, "n"),
    ] {
        let found = diagnostics(rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(found[0].message.contains("unknown name"), "{found:?}");
        assert_eq!(pointed(rule, &found[0]), name, "{rule}");
    }
}

#[test]
fn operands_that_an_operator_cannot_take_are_refused() {
    for (rule, name, problem) in [
        (r#"{"==": [1]}"#, "==", "at least two"),
        (r#"{">": {"var": "event.data.errored_count"}}"#, ">", "at least two"),
        (r#"{"==": [1, 1], ">": [2, 1]}"#, ">", "one field"),
        (r#"{"==": [1, 1], "==": [1, 2]}"#, "==", "one field"),
    ] {
        let found = diagnostics(rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(found[0].message.contains(problem), "{found:?}");
        assert_eq!(pointed(rule, &found[0]), name, "{rule}");
    }
}

#[test]
fn every_problem_is_told_in_the_order_of_the_source() {
    let found = diagnostics(r#"{"and": [{"is": 1}, {"==": [{"var": "x"}, 1]}, {"var": "y"}]}"#);
    let offsets: Vec<_> = found.iter().map(|found| found.offset).collect();
    assert!(found.len() == 3 && offsets.is_sorted(), "{found:?}");
}

#[test]
fn a_rule_that_is_nested_too_deep_is_refused() {
    let nested = |depth: usize| format!("{}1{}", r#"{"!":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(evaluate(&nested(62)), Ok(true));
    for depth in [64, 1600] {
        let found = diagnostics(&nested(depth));
        assert!(found[0].message.contains("at most 64 deep"), "{found:?}");
    }
    let found = diagnostics(&format!("{}{}", "[".repeat(4096), "]".repeat(4096)));
    assert!(found[0].message.contains("at most 64 deep"), "{found:?}");
}
