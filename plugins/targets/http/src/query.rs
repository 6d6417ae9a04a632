//! Adds parameters to a URL's query without parsing the URL, which may hold a
//! reference to a secret that must stay as it is.

use std::collections::BTreeMap;

use exosphere_alerts_sdk::text::push_percent_encoded;

/// `url` with `parameters` after those it already has, and before a fragment.
pub(crate) fn append(mut url: String, parameters: &BTreeMap<String, String>) -> String {
    if parameters.is_empty() {
        return url;
    }
    let fragment = url.find('#').map(|at| url.split_off(at)).unwrap_or_default();
    let mut separator = if url.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        url.push(separator);
        push_percent_encoded(&mut url, name);
        url.push('=');
        push_percent_encoded(&mut url, value);
        separator = '&';
    }
    url + &fragment
}
