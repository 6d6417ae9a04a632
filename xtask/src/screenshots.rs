//! `cargo xtask screenshots`: the pictures of the dashboard in the documentation.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::command::{finish, program, succeeds};
use crate::{Outcome, browser, dashboard, plugins, root, target_dir, workspace};

/// The platform key of the host that is pictured; it lives as long as the command.
const KEY: &str = "screenshots-platform-key-0123456789";

/// Take the pictures of the dashboard in docs/images/dashboard anew.
///
/// Starts a demo host in a folder of its own, waits until there is something to see, and
/// takes a picture of every page, light and dark, wide and narrow. Look at them before you
/// commit them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Chromium's program [default: the one that the dashboard is tested in]
    #[arg(long)]
    browser: Option<PathBuf>,
    /// Only these pictures, by their names without colours and size.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where they go.
    #[arg(long, default_value = "docs/images/dashboard")]
    folder: PathBuf,
    /// `webp`, or `png` for programs that know no other.
    #[arg(long, default_value = "webp")]
    format: String,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let Args { browser, only, folder, format } = args;
    let found = browser.clone().or_else(browser::chromium);
    let Some(browser) =
        found.filter(|path| succeeds(program(&path.to_string_lossy()).arg("--version")))
    else {
        return Err(format!("no browser starts; {}", browser::ADVICE).into());
    };
    plugins::run(&plugins::Args::default())?;
    dashboard::run(&dashboard::Args::default())?;
    workspace::build()?;
    let host = DemoHost::start()?;
    let mut npm = dashboard::npm();
    npm.args(["run", "--silent", "screenshots", "--"])
        // Relative to the root, as everything else that is named here.
        .arg(root().join(folder))
        .env("ALERTS_URL", &host.url)
        .env("ALERTS_KEY", KEY)
        .env("CHROMIUM", browser)
        .env("FORMAT", format)
        .env("ONLY", only.join(","));
    finish(&mut npm)
}

/// A host with the demo's data, in a folder that goes with it.
struct DemoHost {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl DemoHost {
    fn start() -> Outcome<Self> {
        let folder = target_dir().join(format!("screenshots-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        // Free a moment ago; if somebody else takes it, the host says so and ends.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let database = format!("sqlite://{}", folder.join("demo.db").display());
        let process = program(&workspace::host().to_string_lossy())
            .args(["serve", "--demo"])
            .env("ALERTS_LISTEN", address.to_string())
            .env("ALERTS_DATABASE_URL", database)
            .env("ALERTS_BOOTSTRAP_KEY", KEY)
            .env("ALERTS_LOG", "warn")
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { process, folder, url: format!("http://{address}") })
    }
}

impl Drop for DemoHost {
    fn drop(&mut self) {
        // It may have ended already, and what is left of it is in a build folder.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
