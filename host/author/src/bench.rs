//! `plugin bench`: what a plugin costs its host.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use alerts_package::Kind;
use alerts_sandbox::{CallError, Sandbox, SandboxConfig};

use crate::lab::Lab;
use crate::scene::{Props, Scene};
use crate::{AuthorError, Paper, file, sample};

/// Arguments of `plugin bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin file.
    file: PathBuf,
    /// Of a condition language: the condition to evaluate.
    #[arg(long, value_name = "TEXT", default_value = "true")]
    source: String,
    /// Calls of each kind.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
}

/// Measures, and prints what came out.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let wasm = file::bytes(&args.file)?;
    let cache = std::env::temp_dir().join(format!("exosphere-plugin-bench-{}", std::process::id()));
    let measured = measure(args, &wasm, &cache, paper);
    // What is left is of no use to anyone, and in nobody's way.
    let _ = std::fs::remove_dir_all(&cache);
    measured
}

fn measure(
    args: &Args,
    wasm: &[u8],
    cache: &std::path::Path,
    paper: &mut Paper<'_>,
) -> Result<(), AuthorError> {
    let sandbox = || {
        let cache_dir = Some(cache.to_owned());
        Sandbox::new(SandboxConfig { cache_dir, ..SandboxConfig::default() })
    };
    let compiled_in = Lab::open_in(sandbox()?, wasm)?.loaded_in;
    let lab = Lab::open_in(sandbox()?, wasm)?;
    let mut row = |what: &str, value: String| paper.line(format_args!("{what:<22}{value}"));
    row("file", format!("{} KiB", wasm.len().div_ceil(1024)));
    row("compile", format!("{} ms, once for each file", compiled_in.as_millis()));
    row("load, compiled", format!("{:.1} ms", lab.loaded_in.as_secs_f64() * 1e3));
    match lab.manifest().kind {
        Kind::Target => {
            let settings = sample::settings(&lab.manifest().settings).into_iter().next();
            let secrets = lab.manifest().secrets.iter();
            let secrets = secrets
                .map(|slot| (slot.name.clone(), alerts_domain::secret::Secret::new("sample")))
                .collect();
            let settings = settings.unwrap_or_default();
            let props = Props { settings, secrets, ..Props::default() };
            let scene = Scene::set(lab.manifest(), props)?;
            let told = scene.told(&sample::event())?;
            let times = timed(args.calls, || lab.next(&told, &[]).map(drop))?;
            row("fresh call", times);
            row("warm call", "none: each call of a target has an instance of its own".to_owned());
        }
        Kind::Condition => {
            let event = sample::event().to_string();
            let source = args.source.as_str();
            if let Err(diagnostics) = lab.compile(source)? {
                let first = diagnostics.into_iter().next().map(|d| d.message).unwrap_or_default();
                return Err(AuthorError::Arguments(format!(
                    "`{source}` does not compile ({first}): give another condition with `--source`"
                )));
            }
            row("fresh compile", timed(args.calls.min(200), || lab.compile(source).map(drop))?);
            let evaluate = || lab.evaluate(&[source], event.clone()).map(drop);
            row("warm call", timed(args.calls, evaluate)?);
        }
    }
    let used = lab.last_use();
    row("fuel", format!("{} units in the last call", used.fuel));
    row("memory", format!("{} KiB for an instance", used.memory_bytes / 1024));
    Ok(())
}

/// Median and slow end of many calls.
fn timed(
    calls: u32,
    mut call: impl FnMut() -> Result<(), CallError>,
) -> Result<String, AuthorError> {
    call()?;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..calls {
        let began = Instant::now();
        call()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
    Ok(format!("{:.0} µs (99 of 100 within {:.0} µs)", at(50), at(99)))
}
