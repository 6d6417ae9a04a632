//! The table: what was measured, what the machine did beside it, their ratio.

use std::fmt::Write as _;

/// One run's figures.
pub(crate) struct Report {
    rows: Vec<[String; 5]>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a figure, the machine's limit beside it, their ratio and the budget.
    pub(crate) fn add(
        &mut self,
        what: &str,
        figure: impl Into<String>,
        limit: impl Into<String>,
        ratio: impl Into<String>,
        budget: &str,
    ) {
        let row = [what.to_owned(), figure.into(), limit.into(), ratio.into(), budget.to_owned()];
        println!("bench: {}", row.join(" | "));
        self.rows.push(row);
    }

    pub(crate) fn to_markdown(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let mut text = format!(
            "Measured on {cores} cores, which the host shares with the load and the receiver.\n\n\
             | what | measured | beside it | ratio | budget |\n| --- | --- | --- | --- | --- |\n"
        );
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }
}

/// `a` of `b`, for people.
pub(crate) fn percent(a: f64, b: f64) -> String {
    format!("{:.0}%", 100.0 * a / b)
}

/// How many times `b` goes into `a`.
pub(crate) fn times(a: f64, b: f64) -> String {
    format!("{:.2}×", a / b)
}

/// A rate.
pub(crate) fn per_second(rate: f64, what: &str) -> String {
    format!("{rate:.0} {what}/s")
}
