//! How long things are kept, in days.

use alerts_engine::Retention;

use super::{ServeArgs, SettingError, given, keep, whole};

/// The wrong ones are told, and have their defaults meanwhile.
pub(super) fn read(args: &ServeArgs, wrong: &mut Vec<SettingError>) -> Retention {
    let mut days = |setting, value: &Option<String>| {
        let (least, most) = (u64::from(Retention::MIN_DAYS), u64::from(Retention::MAX_DAYS));
        let number = given(value).map(|text| whole(setting, text, least, most)).transpose();
        let days = keep(wrong, number).flatten();
        days.and_then(|days| u32::try_from(days).ok()).map(Retention::days)
    };
    let default = Retention::default();
    let events = days("ALERTS_KEEP_EVENTS_DAYS", &args.keep_events_days);
    let deliveries = days("ALERTS_KEEP_DELIVERIES_DAYS", &args.keep_deliveries_days);
    let attempts = days("ALERTS_KEEP_ATTEMPTS_DAYS", &args.keep_attempts_days);
    // What was not said follows what was.
    let events = events.unwrap_or(default.events.max(deliveries.unwrap_or(default.deliveries)));
    let deliveries = deliveries.unwrap_or(default.deliveries.min(events));
    let retention = Retention {
        events,
        deliveries,
        attempts: attempts.unwrap_or(default.attempts.min(deliveries)),
    };
    let mut refuse = |setting, detail: &str, advice| {
        wrong.push(SettingError::new(setting, detail.to_owned(), advice));
    };
    if retention.events < retention.deliveries {
        refuse(
            "ALERTS_KEEP_EVENTS_DAYS",
            "events would be removed before the deliveries that refer to them",
            "keep events at least as long as deliveries",
        );
    }
    if retention.deliveries < retention.attempts {
        refuse(
            "ALERTS_KEEP_ATTEMPTS_DAYS",
            "attempts would be kept longer than their deliveries",
            "keep attempts at most as long as deliveries",
        );
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(days: &str) -> Option<String> {
        Some(days.to_owned())
    }

    fn read_all(
        events: Option<String>,
        deliveries: Option<String>,
    ) -> Result<Retention, Vec<String>> {
        let args = ServeArgs {
            keep_events_days: events,
            keep_deliveries_days: deliveries,
            ..ServeArgs::default()
        };
        let mut wrong = Vec::new();
        let retention = read(&args, &mut wrong);
        if wrong.is_empty() {
            return Ok(retention);
        }
        Err(wrong.iter().map(|error| error.setting.to_owned()).collect())
    }

    #[test]
    fn what_was_not_said_follows_what_was() {
        assert_eq!(read_all(None, None), Ok(Retention::default()));
        let long = read_all(None, set("365")).unwrap();
        assert_eq!(long.events, Retention::days(365));
        let short = read_all(set("10"), None).unwrap();
        assert_eq!((short.deliveries, short.attempts), (Retention::days(10), Retention::days(10)));
    }

    #[test]
    fn days_out_of_range_or_order_are_refused_by_name() {
        assert_eq!(read_all(set("7"), None), Err(vec!["ALERTS_KEEP_EVENTS_DAYS".into()]));
        assert_eq!(read_all(set("x"), None), Err(vec!["ALERTS_KEEP_EVENTS_DAYS".into()]));
        assert_eq!(read_all(set("10"), set("20")), Err(vec!["ALERTS_KEEP_EVENTS_DAYS".into()]));
    }
}
