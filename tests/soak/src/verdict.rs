//! The table and the verdict: what was seen in each window, and what may not be.

use std::fmt::Write as _;

use crate::hostile::Tally;
use crate::steady::Told;

/// A window's 99th percentile, in microseconds.
type P99 = fn(&Window) -> i64;

/// How many times its quiet 99th percentile the steady tenant's may be: attackers and
/// host share the machine's cores with it.
const P99_FACTOR: f64 = 5.0;
/// What is no matter, however quiet it was before, in microseconds.
const P99_NO_MATTER_US: i64 = 50_000;
/// How much more memory the host may have at the end than after its first minutes.
const GROWTH_FACTOR: f64 = 1.1;
/// What is no matter: what an allocator keeps or gives back at one moment.
const GROWTH_NO_MATTER_MIB: u64 = 32;
/// The share of the attacked windows that are its first minutes.
const SETTLING: usize = 4;

/// Delays, sorted.
#[derive(Debug, Default)]
pub(crate) struct Delays(Vec<i64>);

impl Delays {
    /// Of these, in microseconds.
    pub(crate) fn of(mut us: Vec<i64>) -> Self {
        us.sort_unstable();
        Self(us)
    }

    /// In microseconds; 0 when there are none.
    fn at(&self, percent: usize) -> i64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).copied().unwrap_or_default()
    }

    fn told(&self) -> String {
        format!("{} / {}", ms(self.at(50)), ms(self.at(99)))
    }
}

fn ms(us: i64) -> String {
    format!("{:.1}", us as f64 / 1000.0)
}

/// What was seen in one window.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) is_quiet: bool,
    /// Since the start, at its end.
    pub(crate) minute: f64,
    pub(crate) resident_mib: u64,
    /// Of the steady tenant: due → accepted, and posted → arrived.
    pub(crate) accepts: Delays,
    pub(crate) deliveries: Delays,
    pub(crate) hostile: Tally,
}

/// Above the windows' lines.
pub(crate) const HEADING: &str = "\
| minute | resident MiB | steady events | accepted p50 / p99 ms | arrived p50 / p99 ms | hostile calls: done, refused |
| --- | --- | --- | --- | --- | --- |";

impl Window {
    pub(crate) fn line(&self) -> String {
        let hostile = if self.is_quiet {
            "quiet".to_owned()
        } else {
            format!("{}, {}", self.hostile.done(), self.hostile.refused())
        };
        format!(
            "| {:.1} | {} | {} | {} | {} | {hostile} |",
            self.minute,
            self.resident_mib,
            self.accepts.0.len(),
            self.accepts.told(),
            self.deliveries.told(),
        )
    }
}

/// What did not hold, in sentences.
pub(crate) fn faults(windows: &[Window], told: &Told, arrived: usize) -> Vec<String> {
    let mut faults = Vec::new();
    if told.refused > 0 {
        let first = told.first_refusal.as_deref().unwrap_or_default();
        faults.push(format!("{} events of the steady tenant were refused: {first}", told.refused));
    }
    if arrived != told.accepted {
        faults.push(format!("{} alerts arrived for {} accepted events", arrived, told.accepted));
    }
    let (quiet, attacked): (Vec<&Window>, Vec<&Window>) =
        windows.iter().partition(|window| window.is_quiet);
    let p99s: [(&str, P99); 2] = [
        ("accepted", |window| window.accepts.at(99)),
        ("arrived", |window| window.deliveries.at(99)),
    ];
    for (what, p99) in p99s {
        let before = median(quiet.iter().map(|window| p99(window)));
        let among = median(attacked.iter().map(|window| p99(window)));
        let most = ((before as f64 * P99_FACTOR) as i64).max(P99_NO_MATTER_US);
        if among > most {
            let (before, among) = (ms(before), ms(among));
            faults.push(format!("{what}: p99 {among} ms among attackers, {before} ms without"));
        }
    }
    // The first minutes fill caches, pools and the database's own.
    let settled = attacked.get(attacked.len() / SETTLING..).unwrap_or_default();
    let third = settled.len().div_ceil(3);
    let resident = |windows: &[&Window]| median(windows.iter().map(|window| window.resident_mib));
    let (early, late) = (resident(&settled[..third]), resident(&settled[settled.len() - third..]));
    let most = ((early as f64 * GROWTH_FACTOR) as u64).max(early + GROWTH_NO_MATTER_MIB);
    if late > most {
        faults.push(format!("memory grew from {early} to {late} MiB"));
    }
    if attacked.iter().all(|window| window.hostile.done() + window.hostile.refused() == 0) {
        faults.push("nobody attacked: this soak shows nothing".to_owned());
    }
    faults
}

fn median<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// One sentence, or one for each fault.
pub(crate) fn told(faults: &[String]) -> String {
    if faults.is_empty() {
        return format!(
            "Held: memory is flat after the first minutes, nothing of the steady tenant was refused or \
             lost, and its p99 stayed within {P99_FACTOR} times what it was without attackers (or \
             {} ms).",
            ms(P99_NO_MATTER_US)
        );
    }
    format!("Did not hold: {}.", faults.join("; "))
}

/// The whole run, in Markdown.
pub(crate) fn summary(
    windows: &[Window],
    told_to: &Told,
    arrived: usize,
    faults: &[String],
) -> String {
    let mut text = format!(
        "{}\n\nThe steady tenant: {} events accepted, {arrived} alerts arrived.\n\n{HEADING}\n",
        told(faults),
        told_to.accepted
    );
    for window in windows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", window.line());
    }
    let mut all = Tally::default();
    for window in windows {
        all.add(&window.hostile);
    }
    let _ = writeln!(text, "\n| attack | calls done | refused |\n| --- | --- | --- |\n{all}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(resident: impl Fn(usize) -> u64, p99_us: i64) -> Vec<Window> {
        (0..20)
            .map(|number| Window {
                is_quiet: number < 2,
                minute: number as f64,
                resident_mib: resident(number),
                accepts: Delays::of(vec![if number < 2 { 20_000 } else { p99_us }]),
                deliveries: Delays::of(vec![20_000]),
                hostile: Tally::of("floods", u64::from(number >= 2), 0),
            })
            .collect()
    }

    fn told(accepted: usize) -> Told {
        Told { accepted, ..Told::default() }
    }

    #[test]
    fn a_host_that_fills_its_caches_and_is_flat_then_holds() {
        let windows = windows(|number| 60 + 10 * number.min(6) as u64, 90_000);
        assert_eq!(faults(&windows, &told(7), 7), Vec::<String>::new());
    }

    #[test]
    fn memory_that_grows_to_the_end_is_a_fault() {
        let found = faults(&windows(|number| 60 + 10 * number as u64, 20_000), &told(7), 7);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("memory grew from "), "{found:?}");
    }

    #[test]
    fn a_tenant_that_waits_is_a_fault() {
        let found = faults(&windows(|_| 60, 100_001), &told(7), 7);
        assert_eq!(found, ["accepted: p99 100.0 ms among attackers, 20.0 ms without"]);
    }

    #[test]
    fn what_was_refused_or_lost_or_never_attacked_is_a_fault() {
        let refused =
            Told { refused: 1, first_refusal: Some("answered 503".to_owned()), ..told(7) };
        let mut windows = windows(|_| 60, 20_000);
        assert_eq!(faults(&windows, &refused, 6).len(), 2);
        for window in &mut windows {
            window.hostile = Tally::default();
        }
        assert_eq!(faults(&windows, &told(7), 7), ["nobody attacked: this soak shows nothing"]);
    }
}
