//! A page of HTML around a message.

/// Text in which nothing is markup.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A whole page. `style` is what its body looks like beyond the common.
pub(super) fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{}</title>
<style>
* {{ box-sizing: border-box; }}
body {{ margin: 0; font: 15px/1.46 Lato, "Noto Color Emoji", sans-serif; }}
code, pre {{ font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }}
{style}
</style>
<body>
{body}
</body>
</html>
"#,
        escaped(title)
    )
}
