//! The name that was probably meant.

/// The nearest of the known names, if it is near: a third of its letters, or one,
/// may differ.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let most = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|known| !known.contains('@') && *known != name)
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

/// How many letters have to be changed, added, left out or swapped with their
/// neighbour to make one text of the other. Capitals count as other letters only
/// if nothing else differs.
fn distance(left: &str, right: &str) -> usize {
    let (lower_left, lower_right) = (left.to_lowercase(), right.to_lowercase());
    if lower_left == lower_right {
        return usize::from(left != right);
    }
    let (left, right): (Vec<char>, Vec<char>) =
        (lower_left.chars().collect(), lower_right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (row, letter) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let changed = rows[row][column] + usize::from(letter != other);
            let mut least = changed.min(rows[row][column + 1] + 1).min(next[column] + 1);
            let is_swap =
                row > 0 && column > 0 && left[row - 1] == *other && right[column - 1] == *letter;
            if is_swap {
                least = least.min(rows[row - 1][column - 1] + 1);
            }
            next.push(least);
        }
        rows.push(next);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_is_found_and_what_is_far_away_is_not() {
        let known = ["startsWith", "endsWith", "size", "type", "data", "@hidden"];
        for (name, meant) in [
            ("startswith", Some("startsWith")),
            ("startWith", Some("startsWith")),
            ("tpye", Some("type")),
            ("dat", Some("data")),
            ("sizeof", Some("size")),
            ("beginsWith", None),
            ("hidden", None),
            ("traceparent", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}
