//! Where log lines go, and which.

use std::io::{IsTerminal as _, stderr};

use clap::ValueEnum as _;
use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, ServeArgs, SettingError};

/// What is logged when nobody says. Of the database driver, less: it passes on
/// what the server notes about tables that are there already.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// Begins to log, to standard error.
pub(super) fn start(args: &ServeArgs) -> Result<(), Vec<SettingError>> {
    let (filter, format) = match (filter(args), format(args)) {
        (Ok(filter), Ok(format)) => (filter, format),
        (filter, format) => return Err(filter.err().into_iter().chain(format.err()).collect()),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        // Would be written to where nothing can be written, and end the process.
        .log_internal_errors(false)
        .with_writer(stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).init(),
    }
    Ok(())
}

fn filter(args: &ServeArgs) -> Result<EnvFilter, SettingError> {
    let text = args.log.as_deref().map(str::trim).filter(|text| !text.is_empty());
    EnvFilter::try_new(text.unwrap_or(DEFAULT_FILTER)).map_err(|error| {
        SettingError::new(
            "ALERTS_LOG",
            format!("it is not a filter: {error}"),
            "write a level (error, warn, info, debug, trace), or levels by crate like \
             info,alerts_engine=debug",
        )
    })
}

fn format(args: &ServeArgs) -> Result<LogFormat, SettingError> {
    let text = args.log_format.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(LogFormat::default()) };
    LogFormat::from_str(text, true).map_err(|_| {
        SettingError::new(
            "ALERTS_LOG_FORMAT",
            format!("`{text}` is not known"),
            "write text or json",
        )
    })
}
