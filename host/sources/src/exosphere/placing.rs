//! On which pages of the list a run is looked for. Runs keep their number counted from
//! the end, but for those that are put in below them when the platform's clock was set
//! back: so one that is not where it should be is looked for farther away each time.

use alerts_store::WatchedRun;

use super::platform::PAGE_SIZE;

/// The number of the run in this place of this page, counted from the end of a list of
/// so many.
pub(super) fn ordinal(total: u64, page: u64, place: u64) -> i64 {
    let index = page.saturating_sub(1).saturating_mul(PAGE_SIZE).saturating_add(place);
    number(total).saturating_sub(number(index))
}

/// How many pages there are.
pub(super) fn pages(total: u64) -> u64 {
    total.div_ceil(PAGE_SIZE).max(1)
}

/// The pages on which a run is looked for now; none when it was looked for on all.
pub(super) fn pages_of(run: &WatchedRun, total: u64) -> Vec<u64> {
    let index = number(total).saturating_sub(run.ordinal).max(0);
    let last = number(pages(total));
    let page = (index / number(PAGE_SIZE) + 1).min(last);
    let misses = run.misses.max(0);
    let mut around = vec![page.saturating_sub(misses), page.saturating_add(misses)];
    around.dedup();
    around.retain(|page| (1..=last).contains(page));
    around.into_iter().filter_map(|page| u64::try_from(page).ok()).collect()
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ordinal: i64, misses: i64) -> WatchedRun {
        let (run_id, memory) = ("r".to_owned(), String::new());
        WatchedRun { run_id, created_us: 0, ordinal, misses, is_open: true, memory }
    }

    #[test]
    fn a_run_is_looked_for_where_it_was_and_newer_ones_push_it_on() {
        let newest = ordinal(1_000, 1, 0);
        assert_eq!((newest, ordinal(1_000, 10, 99)), (1_000, 1));
        assert_eq!(pages_of(&run(newest, 0), 1_000), [1]);
        assert_eq!(pages_of(&run(newest, 0), 1_099), [1]);
        assert_eq!(pages_of(&run(newest, 0), 1_100), [2]);
        assert_eq!(pages_of(&run(1, 0), 1_000), [10]);
    }

    #[test]
    fn one_that_is_not_there_is_looked_for_farther_away_until_it_is_nowhere() {
        let looked: Vec<_> = (0..6).map(|misses| pages_of(&run(750, misses), 1_000)).collect();
        let expected: [&[u64]; 6] = [&[3], &[2, 4], &[1, 5], &[6], &[7], &[8]];
        assert_eq!(looked, expected);
        assert_eq!(pages_of(&run(750, 8), 1_000), [0u64; 0]);
        assert_eq!(pages_of(&run(750, 0), 0), [1], "a list that has become empty");
        assert_eq!(pages_of(&run(750, 1), 0), [0u64; 0]);
        assert_eq!(pages_of(&run(i64::MIN, i64::MAX), u64::MAX), [1u64; 0]);
    }
}
