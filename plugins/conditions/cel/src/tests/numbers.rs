//! JSON's one type of number, and CEL's three.

use super::*;

#[test]
fn a_number_means_the_same_however_its_sender_prints_it() {
    for (source, data) in [
        ("event.data.error_rate * 100.0 > 50.0", r#"{"error_rate": 1}"#),
        ("event.data.error_rate * 100.0 > 50.0", r#"{"error_rate": 0.75}"#),
        ("event.data.duration_ms / 1000.0 > 60.0", r#"{"duration_ms": 90000}"#),
        ("event.data.duration_ms / 1000.0 > 60.0", r#"{"duration_ms": 90000.0}"#),
        ("event.data.n + 1 == 5", r#"{"n": 4.0}"#),
        ("1 - event.data.n == -3", r#"{"n": 4.0}"#),
        ("event.data.n % 2 == 0", r#"{"n": 4.0}"#),
        ("event.data.big - 1 > event.data.n", r#"{"big": 18446744073709551615, "n": 0.5}"#),
        ("math.round(event.data.n) == 4 && math.ceil(event.data.n) == 4.0", r#"{"n": 4}"#),
        ("event.data.list == [1, 2, 3]", r#"{"list": [1.0, 2, 3.0]}"#),
        ("event.data == {'a': {'b': 1}}", r#"{"a": {"b": 1.0}}"#),
        ("2.0 in event.data.list && !(2.5 in event.data.list)", r#"{"list": [1, 2]}"#),
        // In a macro, where the shortcut does not go.
        ("event.data.list.all(n, n * 1.5 >= 1.5)", r#"{"list": [1, 2.5]}"#),
    ] {
        assert_eq!(evaluate_on(source, data), Ok(true), "{source} on {data}");
    }
}

#[test]
fn numbers_that_differ_by_one_are_not_equal_however_large_they_are() {
    let data = r#"{"n": 9007199254740992.0, "list": [9007199254740992.0]}"#;
    for source in [
        "event.data.n == 9007199254740993",
        "9007199254740993 == event.data.n",
        "event.data.n >= 9007199254740993",
        "9007199254740993 in event.data.list",
        "event.data.list == [9007199254740993]",
        "sets.contains(event.data.list, [9007199254740993])",
        // Without the shortcut.
        "event.data.list.exists(n, n == 9007199254740993)",
    ] {
        assert_eq!(evaluate_on(source, data), Ok(false), "{source}");
    }
    for source in ["event.data.n == 9007199254740992", "event.data.n < 9007199254740993"] {
        assert_eq!(evaluate_on(source, data), Ok(true), "{source}");
    }
}

#[test]
fn what_cannot_be_computed_is_an_error_that_names_the_operator_and_the_types() {
    for (source, data, parts) in [
        ("event.data.a + event.data.b == 3", r#"{"a": 1, "b": "x"}"#, ["`+`", "`int`", "`string`"]),
        ("event.data.a < event.data.b", r#"{"a": 1, "b": "x"}"#, ["`<`", "`int`", "`string`"]),
        ("event.data.a % event.data.b == 3", r#"{"a": 1.5, "b": 2}"#, ["`%`", "`double`", "`int`"]),
        ("event.data.a / event.data.b == 3", r#"{"a": 1, "b": 0}"#, ["`/`", "division", "zero"]),
        ("event.data.a * 2 == 3", r#"{"a": 9223372036854775807}"#, ["`*`", "out of", "range"]),
    ] {
        let message = evaluate_on(source, data).unwrap_err();
        assert!(parts.iter().all(|part| message.contains(part)), "{source}: {message}");
    }
}
