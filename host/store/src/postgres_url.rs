//! A `postgres:` URL: what of it is handed to the driver, and what may be shown.

use url::Url;

use crate::error::StoreError;

/// What the driver knows. It logs others with their values, of which one may be a
/// password with a slip in its name.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The URL without parameters that mean nothing to the driver.
pub(crate) fn for_driver(url: &str) -> Result<String, StoreError> {
    let mut parsed = Url::parse(url).map_err(|error| {
        StoreError::Url(format!("{error}; it must be like postgres://user@host:5432/alerts"))
    })?;
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    let pairs: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
    if pairs.iter().all(|(name, _)| is_known(name)) {
        return Ok(url.to_owned());
    }
    let (known, unknown): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| is_known(name));
    for (name, _) in unknown {
        tracing::warn!(
            parameter = name,
            "a parameter of the database URL is unknown; it is ignored"
        );
    }
    parsed.query_pairs_mut().clear().extend_pairs(known);
    Ok(parsed.into())
}

/// Where it leads to, and nothing else: passwords stand before the host, among the
/// parameters, and, with a slip, anywhere.
pub(crate) fn shown(url: &str) -> String {
    const HIDDEN: &str = "postgres://…";
    let Ok(parsed) = Url::parse(url) else { return HIDDEN.to_owned() };
    let has_user = !parsed.username().is_empty() || parsed.password().is_some();
    // An `@` that is not before the host: something in the password has ended it.
    if url.matches('@').count() > usize::from(has_user) || parsed.fragment().is_some() {
        return HIDDEN.to_owned();
    }
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let user = if has_user { "…@" } else { "" };
    let parameters = if parsed.query().is_some() { "?…" } else { "" };
    format!("{}://{user}{host}{port}{}{parameters}", parsed.scheme(), parsed.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_says_where_it_leads_to_and_no_password_in_whatever_form() {
        for (url, expected) in [
            ("postgres://u:geheim@h:1/d", "postgres://…@h:1/d"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://h/db?user=app&password=geheim", "postgres://h/db?…"),
            ("postgres://h/db?user=app&pass%77ord=geheim", "postgres://h/db?…"),
            ("postgres:///db?host=/run/pg&password=geheim", "postgres:///db?…"),
            ("postgres://u:%67eheim@h/d", "postgres://…@h/d"),
            ("postgres://u:ge@geheim@h/d", "postgres://…"),
            ("postgres://u:ge/geheim@h/d", "postgres://…"),
            ("postgres://u:1#geheim@h/d", "postgres://…"),
            ("postgres://u:1?geheim@h/d", "postgres://…"),
            ("host=h user=app password=geheim", "postgres://…"),
        ] {
            assert_eq!(shown(url), expected);
            assert!(!shown(url).contains("geheim"));
        }
    }

    #[test]
    fn parameters_that_the_driver_would_log_are_left_out() {
        let url = "postgres://h/d?Password=geheim&sslmode=require&passwd=geheim";
        assert_eq!(for_driver(url).unwrap(), "postgres://h/d?sslmode=require");
        let url = "postgres://h/d?user=a&options[search_path]=x&password=p%2Bq";
        assert_eq!(for_driver(url).unwrap(), url);
    }
}
