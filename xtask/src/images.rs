//! `cargo xtask images`: the pictures of alerts in the documentation.

use std::path::Path;
use std::process::Command;

use crate::command::{cargo, finish, output, program, succeeds};
use crate::{Outcome, plugins, root, target_dir};

/// How wide the pages are, in CSS pixels: a channel's width, and a page's of the
/// documentation. Their style sheets say the same.
const WIDTH: u32 = 720;

/// Take the pictures of alerts in docs/images anew.
///
/// Alerts of each trigger go through a real host and its adapters; what comes to Slack
/// and to PagerDuty is written down as JSON and as pages (docs/images/source), and
/// Chromium takes a picture of each page. Look at them before you commit them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Chromium's program.
    #[arg(long, default_value = "chromium")]
    browser: String,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let Args { browser } = args;
    if !succeeds(program(browser).arg("--version")) {
        let needed = "chromium fonts-lato fonts-noto-color-emoji fonts-dejavu-core";
        return Err(
            format!("`{browser}` does not start; on Debian: apt-get install {needed}").into()
        );
    }
    plugins::run(&plugins::Args::default())?;
    let mut test = cargo();
    // The whole workspace, so that nothing is compiled a second time.
    test.args(["test", "--quiet", "--workspace", "--test", "integration", "messages::"]);
    finish(test.env("ALERTS_UPDATE_IMAGES", "1"))?;

    let images = root().join("docs/images");
    let mut pages: Vec<_> = std::fs::read_dir(images.join("source"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    pages.retain(|page| page.extension().is_some_and(|end| end == "html"));
    pages.sort_unstable();
    for page in pages {
        let name = page.file_stem().unwrap_or_default();
        let picture = images.join(name).with_extension("png");
        take(browser, &page, &picture)?;
        println!("images: {}", picture.strip_prefix(root()).unwrap_or(&picture).display());
    }
    Ok(())
}

/// A picture of a whole page, and of nothing below it.
fn take(browser: &str, page: &Path, picture: &Path) -> Outcome {
    let height = height(browser, page)?;
    let mut chromium = headless(browser);
    chromium
        .arg("--hide-scrollbars")
        // For screens with fine dots.
        .arg("--force-device-scale-factor=2")
        .arg(format!("--window-size={WIDTH},{height}"))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()));
    output(&mut chromium)
        .map(drop)
        .ok_or_else(|| format!("no picture of {}", page.display()).into())
}

/// How high a page is, in CSS pixels, as it tells in the title of a copy of it.
fn height(browser: &str, page: &Path) -> Outcome<u32> {
    const MEASURE: &str = "<script>document.title = \
        Math.ceil(document.body.getBoundingClientRect().height)</script>";
    let copy = target_dir().join("measured.html");
    std::fs::write(&copy, std::fs::read_to_string(page)? + MEASURE)?;
    let mut chromium = headless(browser);
    chromium
        .arg(format!("--window-size={WIDTH},2000"))
        .arg("--dump-dom")
        .arg(format!("file://{}", copy.display()));
    let dom = output(&mut chromium).unwrap_or_default();
    let title = dom.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let height = title.and_then(|(title, _)| title.parse().ok());
    height.ok_or_else(|| format!("{} has no height", page.display()).into())
}

/// Chromium without a window and without anything of the user's.
fn headless(browser: &str) -> Command {
    let mut chromium = program(browser);
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Waits until the page's own work is done, not for the clock.
        "--virtual-time-budget=5000",
    ]);
    let profile = target_dir().join("images-profile");
    chromium.arg(format!("--user-data-dir={}", profile.display()));
    chromium
}
