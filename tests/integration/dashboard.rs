//! The dashboard as the host serves it, whether or not it was there to be built in.

use reqwest::redirect::Policy;

use crate::support::api::Answer;
use crate::support::host::TestHost;

const PATH: &str = "/settings/alerts";

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_root_leads_to_the_dashboard() {
    let host = TestHost::start().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let root = client.get(format!("http://{}/", host.address())).send().await.unwrap();
    assert_eq!(root.status(), 307);
    assert_eq!(root.headers()["location"], PATH);
}

#[tokio::test]
async fn the_page_is_served_without_a_key_at_every_path_of_its_own() {
    let host = TestHost::start().await;
    let nobody = host.api.with("x-api-key", None).with("x-exosphere-namespace", None);
    let page = nobody.get(PATH).await;
    for path in ["/", "/rules/rule_1", "/deliveries?status=dead", "/portal"] {
        let other = nobody.get(&format!("{PATH}{path}")).await;
        assert_eq!((other.status, &other.body), (200, &page.body), "{path}");
    }
    assert!(header(&page, "content-type").starts_with("text/html"));
    assert_eq!(header(&page, "cache-control"), "no-cache");
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    assert_eq!(header(&page, "referrer-policy"), "same-origin");
    let policy = header(&page, "content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|one| one == part), "{part}: {policy}");
    }
    let known = nobody.with("if-none-match", Some(header(&page, "etag")));
    assert_eq!(known.get(PATH).await.status, 304);
    nobody.delete(PATH).await.problem(405);
}

#[tokio::test]
async fn what_the_page_names_is_there_and_kept_for_ever() {
    let host = TestHost::start().await;
    let page = host.api.get(PATH).await.text();
    let folder = format!("{PATH}/assets/");
    let named = page.split(&folder).skip(1);
    for name in named.filter_map(|rest| rest.split(['"', '\\', '\'']).next()) {
        let file = host
            .api
            .with("accept-encoding", Some("gzip"))
            .get(&format!("{PATH}/assets/{name}"))
            .await;
        assert_eq!(file.status, 200, "{name}");
        assert!(header(&file, "cache-control").contains("immutable"), "{name}");
        assert!(!header(&file, "content-type").starts_with("text/html"), "{name}");
    }
    // Never the page in place of a script.
    host.api.get(&format!("{PATH}/assets/gone-00000000.js")).await.problem(404);
    // Nothing on the page is there to be run in place.
    assert!(!page.contains("<script>") && !page.contains("<style"), "{page}");
}
