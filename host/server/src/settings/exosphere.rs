//! Which Exosphere is watched: its state-manager's URL and key, the namespaces, how often.

use std::net::SocketAddr;
use std::time::Duration;

use alerts_domain::secret::Secret;
use alerts_sources::{ExosphereSettings, Namespaces};
use url::Url;

use super::error::SettingError;
use super::{ServeArgs, given, keep, whole};

const URL: &str = "ALERTS_EXOSPHERE_URL";
const KEY: &str = "ALERTS_EXOSPHERE_KEY";
const NAMESPACES: &str = "ALERTS_EXOSPHERE_NAMESPACES";
const INTERVAL: &str = "ALERTS_EXOSPHERE_INTERVAL_MS";
/// Between two looks when nobody says, in milliseconds. An end is believed after two
/// seconds, so looking much more often tells of nothing sooner.
const DEFAULT_INTERVAL_MS: u64 = 3_000;

/// What is to be watched; nothing when no URL is given.
pub(super) fn read(
    args: &ServeArgs,
    name_servers: &[SocketAddr],
    wrong: &mut Vec<SettingError>,
) -> Option<ExosphereSettings> {
    let key = args.exosphere_key.clone().filter(|key| !key.expose().trim().is_empty());
    let namespaces = given(&args.exosphere_namespaces);
    let interval = given(&args.exosphere_interval_ms);
    let Some(url) = given(&args.exosphere_url) else {
        let others = [(KEY, key.is_some()), (NAMESPACES, namespaces.is_some())];
        let alone = others.into_iter().find(|(_, is_given)| *is_given);
        wrong.extend(alone.map(|(setting, _)| {
            let problem = format!("it is set, and {URL} is not");
            SettingError::new(setting, problem, "set both, or none to watch no Exosphere")
        }));
        return None;
    };
    let url = keep(wrong, url_of(url));
    let key = keep(wrong, key_of(key));
    let namespaces = keep(wrong, namespaces_of(namespaces));
    let interval_ms = match interval {
        None => Some(DEFAULT_INTERVAL_MS),
        // An hour is far beyond what an alert may wait for.
        Some(text) => keep(wrong, whole(INTERVAL, text, 100, 3_600_000)),
    };
    Some(ExosphereSettings {
        url: url?,
        key: key?,
        namespaces: namespaces?,
        interval: Duration::from_millis(interval_ms?),
        name_servers: name_servers.to_vec(),
    })
}

fn url_of(text: &str) -> Result<Url, SettingError> {
    let wrong = |problem: String| {
        let advice = "write where its state-manager is, like http://state-manager:8000";
        SettingError::new(URL, problem, advice)
    };
    // Not quoted: people put passwords into URLs.
    let mut url = Url::parse(text).map_err(|error| wrong(format!("it is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("it is not an http or https URL".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(format!("it holds a user or a password; the secret is {KEY}")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment".to_owned()));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn key_of(key: Option<Secret>) -> Result<Secret, SettingError> {
    let advice = "set it to the state-manager's own secret (its STATE_MANAGER_SECRET)";
    let wrong = |problem: &str| SettingError::new(KEY, problem, advice);
    let key = key.ok_or_else(|| wrong("it is not set"))?;
    // A secret that comes from a file may have a line break at its end.
    let key = Secret::new(key.expose().trim());
    let is_sendable = key.expose().chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if is_sendable { Ok(key) } else { Err(wrong("it holds what does not fit into a header")) }
}

fn namespaces_of(text: Option<&str>) -> Result<Namespaces, SettingError> {
    let wrong = |problem: String| {
        let advice = "write names with commas between them, or * for all that have nodes";
        SettingError::new(NAMESPACES, problem, advice)
    };
    let namespaces = Namespaces::parse(text.unwrap_or_default()).map_err(wrong)?;
    match namespaces.is_empty() {
        true => Err(wrong("it names no namespace".to_owned())),
        false => Ok(namespaces),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ServeArgs {
        ServeArgs {
            exosphere_url: Some("http://state-manager:8000/base".into()),
            exosphere_key: Some(Secret::new("exosphere@123\n")),
            exosphere_namespaces: Some("*".into()),
            ..ServeArgs::default()
        }
    }

    fn read_of(args: &ServeArgs) -> (Option<ExosphereSettings>, Vec<SettingError>) {
        let mut wrong = Vec::new();
        (read(args, &[], &mut wrong), wrong)
    }

    #[test]
    fn nothing_is_watched_unless_a_url_is_given_and_then_all_of_it() {
        assert!(matches!(read_of(&ServeArgs::default()), (None, wrong) if wrong.is_empty()));
        let (settings, wrong) = read_of(&args());
        let settings = settings.unwrap();
        assert_eq!(wrong, []);
        assert_eq!(settings.url.as_str(), "http://state-manager:8000/base/");
        assert_eq!(settings.key.expose(), "exosphere@123");
        assert_eq!(settings.interval, Duration::from_secs(3));
    }

    #[test]
    fn what_is_wrong_is_told_by_name_and_no_secret_with_it() {
        let wrong = ServeArgs {
            exosphere_url: Some("http://user:hunter2@host/".into()),
            exosphere_key: None,
            exosphere_namespaces: Some(" ".into()),
            exosphere_interval_ms: Some("5".into()),
            ..ServeArgs::default()
        };
        let (settings, wrong) = read_of(&wrong);
        assert!(settings.is_none());
        let names: Vec<_> = wrong.iter().map(|error| error.setting).collect();
        assert_eq!(names, [URL, KEY, NAMESPACES, INTERVAL]);
        assert!(!format!("{wrong:?}").contains("hunter2"));
        let alone = ServeArgs { exosphere_url: None, ..args() };
        assert_eq!(read_of(&alone).1[0].setting, KEY);
        for url in ["state-manager:8000", "ftp://a/", "http://a/?x=1", "not a url"] {
            let (_, wrong) = read_of(&ServeArgs { exosphere_url: Some(url.into()), ..args() });
            assert_eq!(wrong[0].setting, URL, "{url}");
        }
    }
}
