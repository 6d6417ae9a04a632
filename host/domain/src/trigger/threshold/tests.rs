use super::*;

/// More than `count` in ten seconds.
fn count(count: u32) -> ThresholdTrigger {
    ThresholdTrigger {
        window_ms: 10_000,
        breach: Breach::Count(count),
        group_by: Vec::new(),
        cooldown_ms: None,
        recovery: None,
    }
}

fn ratio(above: f64, last: u32, min_total: u32) -> ThresholdTrigger {
    let ratio = Ratio { above, of: both_ends(), last, min_total };
    ThresholdTrigger { breach: Breach::Ratio(ratio), ..count(1) }
}

#[test]
fn figures_say_what_was_found() {
    let values = serde_json::Map::from_iter([("graph_name".to_owned(), json!("etl"))]);
    let group = Group { key: "0f".to_owned(), values };
    assert_eq!(
        count(3).figures(4, 4, &group),
        json!({"type": "threshold", "window_ms": 10_000, "count": 4, "limit": 3,
            "group": {"graph_name": "etl"}, "group_key": "0f"})
    );
    let all = Group { key: String::new(), values: serde_json::Map::new() };
    let figures = ratio(0.2, 50, 10).figures(3, 10, &all);
    assert_eq!((&figures["ratio"], figures.get("group_key")), (&json!(0.3), None));
}

#[test]
fn a_count_that_may_be_larger_says_so() {
    let all = Group { key: String::new(), values: serde_json::Map::new() };
    let most = count(3).kept() as u32;
    assert_eq!(count(3).figures(most - 1, most - 1, &all).get("at_least"), None);
    assert_eq!(count(3).figures(most, most, &all)["at_least"], true);
}

#[test]
fn absurd_numbers_are_refused_by_name() {
    let pointers = |trigger: ThresholdTrigger| {
        trigger.problems().into_iter().map(|error| error.pointer).collect::<Vec<_>>()
    };
    assert!(pointers(count(3)).is_empty());
    assert_eq!(pointers(count(0)), ["/count"]);
    assert_eq!(pointers(count(10_001)), ["/count"]);
    assert_eq!(pointers(ThresholdTrigger { window_ms: 0, ..count(1) }), ["/window_ms"]);
    assert_eq!(pointers(ThresholdTrigger { window_ms: u64::MAX, ..count(1) }), ["/window_ms"]);
    assert_eq!(pointers(ThresholdTrigger { cooldown_ms: Some(0), ..count(1) }), ["/cooldown_ms"]);
    assert_eq!(pointers(ratio(1.0, 5, 5)), ["/ratio/above"]);
    assert_eq!(pointers(ratio(f64::NAN, 5, 5)), ["/ratio/above"]);
    assert_eq!(pointers(ratio(0.5, 5, 6)), ["/ratio/min_total"]);
    let doubled = vec!["a".to_owned(), "a".to_owned(), "b..c".to_owned()];
    let grouped = ThresholdTrigger { group_by: doubled, ..count(1) };
    assert_eq!(pointers(grouped), ["/group_by/1", "/group_by/2"]);
}

#[test]
fn what_could_never_fire_or_is_too_much_to_remember_is_refused_by_field() {
    let pointers = |trigger: ThresholdTrigger| {
        let problems = trigger.problems().into_iter();
        problems.map(|problem| problem.pointer).collect::<Vec<_>>()
    };
    let most = ThresholdTrigger::MAX_EVENTS;
    for (wrong, pointer) in [
        (count(0), "/count"),
        (count(most + 1), "/count"),
        (ThresholdTrigger { window_ms: 0, ..count(1) }, "/window_ms"),
        (ThresholdTrigger { cooldown_ms: Some(0), ..count(1) }, "/cooldown_ms"),
        (ratio(1.0, 5, 5), "/ratio/above"),
        (ratio(-0.1, 5, 5), "/ratio/above"),
        (ratio(f64::NAN, 5, 5), "/ratio/above"),
        (ratio(0.5, most + 1, 5), "/ratio/last"),
        (ratio(0.5, 5, 6), "/ratio/min_total"),
        (ratio(0.5, 5, 0), "/ratio/min_total"),
    ] {
        let told = format!("{wrong:?}");
        assert_eq!(pointers(wrong), [pointer], "{told}");
    }
    for of in [Vec::new(), vec![EventTypePattern::new("*").unwrap(); 11]] {
        let ratio = Ratio { above: 0.5, of, last: 5, min_total: 5 };
        let trigger = ThresholdTrigger { breach: Breach::Ratio(ratio), ..count(1) };
        assert_eq!(pointers(trigger), ["/ratio/of"]);
    }
    assert!(pointers(count(most)).is_empty() && pointers(ratio(0.0, most, most)).is_empty());
}

#[test]
fn a_ratio_looks_at_more_than_its_own_types_and_a_count_at_those_alone() {
    let own = EventTypePattern::new("task.failed").unwrap();
    let (counted, share) = (count(1), ratio(0.5, 5, 5));
    assert_eq!(counted.looks_at(&own), std::slice::from_ref(&own));
    assert_eq!(share.looks_at(&own).len(), 1 + both_ends().len());
}
