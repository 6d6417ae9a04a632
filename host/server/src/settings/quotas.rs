//! How much of each thing one namespace may have.

use alerts_domain::quota::Quotas;

use super::{ServeArgs, SettingError, given, keep, whole};

/// Above this a namespace's rules could make more deliveries of one event than one
/// request may.
const MOST_RULES: u64 = 5_000;
/// Far more than fits into any catalog in memory.
const MOST: u64 = 100_000;

/// The wrong ones are told, and have their defaults meanwhile.
pub(super) fn read(args: &ServeArgs, wrong: &mut Vec<SettingError>) -> Quotas {
    let mut read = |setting, text, most, default| -> u32 {
        let number = given(text).map(|text| whole(setting, text, 1, most)).transpose();
        let number = keep(wrong, number).flatten();
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    };
    let default = Quotas::default();
    Quotas {
        alert_rules: read("ALERTS_MAX_RULES", &args.max_rules, MOST_RULES, default.alert_rules),
        webhook_endpoints: read(
            "ALERTS_MAX_WEBHOOKS",
            &args.max_webhooks,
            MOST,
            default.webhook_endpoints,
        ),
        api_keys: read("ALERTS_MAX_API_KEYS", &args.max_api_keys, MOST, default.api_keys),
        ..default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_what_is_too_much_is_told() {
        let args = ServeArgs {
            max_rules: Some("5001".into()),
            max_webhooks: Some("7".into()),
            ..ServeArgs::default()
        };
        let mut wrong = Vec::new();
        let quotas = read(&args, &mut wrong);
        assert_eq!((quotas.webhook_endpoints, quotas.api_keys), (7, Quotas::default().api_keys));
        assert_eq!(quotas.alert_rules, Quotas::default().alert_rules);
        let [wrong] = wrong.as_slice() else { panic!("{wrong:?}") };
        assert!(wrong.to_string().contains("ALERTS_MAX_RULES"), "{wrong}");
    }
}
