//! The platform's way of naming a run in an event's `subject`. The host is compiled
//! from this same file, so that it and an adapter find the same run.

/// Graph and run of `graph/{graph_name}/run/{run_id}`; none for any other subject.
pub(crate) fn run_of_subject(subject: &str) -> Option<(&str, &str)> {
    let (graph, run) = subject.strip_prefix("graph/")?.rsplit_once("/run/")?;
    (!graph.is_empty() && !run.is_empty()).then_some((graph, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platforms_form_names_a_run() {
        assert_eq!(run_of_subject("graph/etl/run/7"), Some(("etl", "7")));
        assert_eq!(run_of_subject("graph/a/run/b/run/7"), Some(("a/run/b", "7")));
        for other in ["", "graph/etl", "graph//run/7", "graph/etl/run/", "disk/run/7"] {
            assert_eq!(run_of_subject(other), None, "{other}");
        }
    }
}
