use super::*;
use crate::operator;

#[test]
fn rules_that_hold() {
    for rule in [
        r#"{"==": [{"var": "event.type"}, "workflow.failed"]}"#,
        r#"{"and": [{"==": [{"var": "event.data.graph_name"}, "etl"]}, {">": [{"var": "event.data.errored_count"}, 3]}]}"#,
        r#"{"in": [{"var": "event.data.graph_name"}, ["etl", "train"]]}"#,
        r#"{"in": ["etl", {"var": "event.subject"}]}"#,
        r#"{"==": [{"substr": [{"var": "event.subject"}, 0, 6]}, "graph/"]}"#,
        r#"{"==": [{"var": "event.data.name"}, "a \"quoted\" name"]}"#,
        r#"{">": [{"/": [{"var": "event.data.errored_count"}, {"var": "event.data.total_count"}]}, 0.3]}"#,
        r#"{"<": [0, {"var": "event.data.ratio"}, 1]}"#,
        r#"{"some": [{"var": "event.data.tags"}, {"==": [{"var": ""}, "b"]}]}"#,
        r#"{"all": [{"var": "event.data.tasks"}, {">=": [{"var": "n"}, 1]}]}"#,
        r#"{"none": [{"filter": [{"var": "event.data.tasks"}, {">": [{"var": "n"}, 1]}]}, {"==": [{"var": "n"}, 1]}]}"#,
        r#"{"==": [{"reduce": [{"var": "event.data.tasks"}, {"+": [{"var": "current.n"}, {"var": "accumulator"}]}, 0]}, 6]}"#,
        r#"{"==": [{"map": [{"var": "event.data.tasks"}, {"*": [{"var": "n"}, 2]}]}, [2, 10]]}"#,
        r#"{"==": [{"missing": ["event.data.nope", "event.data.ok"]}, ["event.data.nope"]]}"#,
        r#"{"!": {"missing_some": [1, ["event.data.nope", "event.data.ok"]]}}"#,
        r#"{"if": [{"var": "event.data.ok"}, true, false]}"#,
        r#"{"?:": [{"var": "event.data.none"}, false, true]}"#,
        r#"{"==": [{"var": ["event.data.nope", 7]}, 7]}"#,
        r#"{"==": [{"var": "event.data.tags.1"}, "b"]}"#,
        r#"{"===": [{"val": ["event", "data", "tasks", 1, "n"]}, 5]}"#,
        r#"{"==": [{"cat": ["e", "tl"]}, {"var": "event.data.graph_name"}]}"#,
        r#"{"in": ["c", {"merge": [{"var": "event.data.tags"}, ["c"]]}]}"#,
        r#"{"==": [{"max": [1, {"min": [7, 5]}]}, {"%": [11, 6]}]}"#,
        r#"{"!==": [{"-": 3}, 3]}"#,
        r#"{"or": [false, {"var": "event.data.ok"}]}"#,
        r#"{"var": "event.data"}"#,
        // The same comparison of different things is not computed once.
        r#"{"and": [{"all": [{"var": "event.data.tags"}, {"!=": [{"var": ""}, "c"]}]}, {"none": [["c"], {"!=": [{"var": ""}, "c"]}]}]}"#,
    ] {
        assert_eq!(evaluate(rule), Ok(true), "{rule}");
    }
}

#[test]
fn the_verdict_is_whether_the_result_is_truthy() {
    for rule in
        ["true", "1", "\"0\"", "[0]", "{}", "[{}]", r#"{"var": "event.data.errored_count"}"#]
    {
        assert_eq!(evaluate(rule), Ok(true), "{rule}");
    }
    for rule in ["false", "null", "0", "\"\"", "[]", r#"{"var": "event.data.zero"}"#] {
        assert_eq!(evaluate(rule), Ok(false), "{rule}");
    }
}

#[test]
fn an_empty_object_is_true_wherever_yes_or_no_is_asked() {
    let bare = "{\"var\": \"event.data.bare\"}";
    for rule in [
        r#"{"!!": [IT]}"#,
        r#"{"!!": IT}"#,
        r#"{"!": [{"!": [IT]}]}"#,
        r#"{"if": [IT, true, false]}"#,
        r#"{"?:": [IT, true, false]}"#,
        r#"{"===": [{"and": [IT, 7]}, 7]}"#,
        r#"{"==": [{"or": [IT, 7]}, {"var": "event.data.bare"}]}"#,
        r#"{"some": [[IT], {"var": ""}]}"#,
        r#"{"all": [[IT], {"var": ""}]}"#,
        r#"{"!": {"none": [[IT], {"var": ""}]}}"#,
        r#"{"==": [{"filter": [[IT], {"var": ""}]}, [{"var": "event.data.bare"}]]}"#,
    ] {
        for object in ["{}", bare] {
            let rule = rule.replace("IT", object);
            assert_eq!(evaluate(&rule), Ok(true), "{rule}");
        }
    }
}

#[test]
fn and_and_or_of_nothing_are_false() {
    for name in ["and", "or"] {
        assert_eq!(evaluate(&format!(r#"{{"{name}": []}}"#)), Ok(false));
        assert_eq!(evaluate(&format!(r#"{{"===": [{{"{name}": []}}, false]}}"#)), Ok(true));
    }
}

#[test]
fn a_single_operand_may_stand_without_an_array() {
    for rule in [
        r#"{"and": true}"#,
        r#"{"or": {"var": "event.data.ok"}}"#,
        r#"{"===": [{"if": "apple"}, "apple"]}"#,
        r#"{"!": {"?:": {"var": "event.data.zero"}}}"#,
    ] {
        assert_eq!(evaluate(rule), Ok(true), "{rule}");
    }
}

#[test]
fn a_missing_variable_is_null() {
    let missing = |rule: &str| evaluate(&rule.replace('?', r#"{"var": "event.data.nope.deeper"}"#));
    for rule in [r#"{"==": [?, null]}"#, r#"{"===": [?, null]}"#, r#"{"!": ?}"#, r#"{"<": [?, 1]}"#]
    {
        assert_eq!(missing(rule), Ok(true), "{rule}");
    }
    for rule in [
        "?",
        // In JavaScript, which is the reference, `null` equals nothing but itself.
        r#"{"==": [?, 0]}"#,
        r#"{"==": [?, ""]}"#,
        r#"{"==": [?, false]}"#,
        r#"{">": [?, 3]}"#,
        r#"{"in": ["a", ?]}"#,
        r#"{"some": [?, true]}"#,
        r#"{"all": [?, true]}"#,
    ] {
        assert_eq!(missing(rule), Ok(false), "{rule}");
    }
}

#[test]
fn values_compare_as_in_javascript() {
    let operators = ["==", "!=", "<", "<=", ">", ">="];
    for (left, right, verdicts) in [
        ("1", "1.0", [true, false, false, true, false, true]),
        ("1", "\"1\"", [true, false, false, true, false, true]),
        ("\" 1 \"", "1", [true, false, false, true, false, true]),
        ("0", "\"\"", [true, false, false, true, false, true]),
        ("0", "false", [true, false, false, true, false, true]),
        ("true", "\"1\"", [true, false, false, true, false, true]),
        ("true", "\"true\"", [false, true, false, false, false, false]),
        ("null", "null", [true, false, false, true, false, true]),
        ("null", "0", [false, true, false, true, false, true]),
        ("null", "-1", [false, true, false, false, true, true]),
        ("\"abc\"", "3", [false, true, false, false, false, false]),
        ("\"inf\"", "3", [false, true, false, false, false, false]),
        ("\"nan\"", "\"nan\"", [true, false, false, true, false, true]),
        ("\"10\"", "\"9\"", [false, true, true, true, false, false]),
        ("\"10\"", "9", [false, true, false, false, true, true]),
        ("[]", "0", [false, true, false, false, false, false]),
        ("{}", "null", [false, true, false, false, false, false]),
        ("[1, 2]", "[1, 2]", [true, false, false, false, false, false]),
        ("{}", "[]", [false, true, false, false, false, false]),
        ("9007199254740993", "9007199254740992", [true, false, false, false, true, true]),
    ] {
        for (operator, verdict) in operators.iter().zip(verdicts) {
            let rule = format!(r#"{{"{operator}": [{left}, {right}]}}"#);
            assert_eq!(evaluate(&rule), Ok(verdict), "{rule}");
        }
    }
}

#[test]
fn what_has_no_result_is_an_error_that_names_the_operator() {
    for (rule, operator) in [
        (r#"{"+": [{"var": "event.data.graph_name"}, 1]}"#, "`+`"),
        (r#"{"/": [1, {"var": "event.data.zero"}]}"#, "`/`"),
        (r#"{"%": [1, 0]}"#, "`%`"),
        (r#"{"max": [{"var": "event.data.tags"}, "x"]}"#, "`max`"),
        // Not the operator around it.
        (r#"{">": [{"+": [{"var": "event.data.graph_name"}, 1]}, 3]}"#, "`+`"),
        (r#"{"some": [{"var": "event.data.tags"}, {"and": [{"-": [{"var": ""}, 1]}]}]}"#, "`-`"),
    ] {
        let message = evaluate(rule).unwrap_err();
        assert!(message.starts_with(operator), "{rule}: {message}");
    }
}

#[test]
fn every_operator_that_the_check_lets_through_is_known_to_the_engine() {
    let known: Vec<_> = crate::engine::ENGINE.builtin_operator_names().collect();
    for name in operator::names().split(", ").map(|name| name.trim_matches('`')) {
        assert!(known.contains(&name), "{name}");
    }
}

#[test]
fn an_event_that_is_not_a_json_object_is_an_error() {
    for event in [&b"[]"[..], b"{", b"", b"{} {}", b"{},\"x\":{}", b"{\"a\":\"\xff\"}", b"1"] {
        assert!(JsonLogic::parse_event(event).is_err(), "{event:?}");
    }
}

#[test]
fn many_rules_see_one_event() {
    let event = JsonLogic::parse_event(EVENT_JSON).unwrap();
    for n in 0..8 {
        let rule = format!(r#"{{">": [{{"var": "event.data.errored_count"}}, {n}]}}"#);
        let program = JsonLogic::compile(&rule).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(program.evaluate(&event), Ok(n < 4));
    }
}
