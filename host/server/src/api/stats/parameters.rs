//! What statistics are asked for, and how much of it is too much.

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::stats::Step;
use alerts_store::{CountedBy, StatsQuery};
use jiff::SignedDuration;
use serde::Deserialize;

use crate::api::problem::Problem;

/// Most rows of one answer, about a megabyte: 90 days in hours, 2 days in minutes, or
/// 200 endpoints in the hours of a day.
pub(super) const MAX_ROWS: u32 = 5_000;

/// What rows are about beside their step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatsBy {
    WebhookEndpointId,
    AlertRuleId,
    EventType,
}

/// Which figures; what is absent does not matter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsParameters {
    /// The step in which this lies, and later ones. When absent: an hour ago by minute, a day
    /// ago by hour, 30 days ago by day.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Steps that begin before then; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How long a step is; `hour` when absent.
    #[param(inline)]
    step: Option<Step>,
    /// A row for each of these; rows are about the namespace as a whole when absent.
    #[param(inline)]
    by: Option<StatsBy>,
    /// Only this endpoint's.
    webhook_endpoint_id: Option<EndpointId>,
    /// Only this rule's.
    alert_rule_id: Option<RuleId>,
    /// Only this type's. `*` stands for all types of a step beyond its first hundred.
    event_type: Option<String>,
}

impl StatsParameters {
    /// What the store is asked.
    pub(super) fn query(self, now: Timestamp) -> Result<StatsQuery, Problem> {
        let step = self.step.unwrap_or(Step::Hour);
        let (by, subject) = self.about()?;
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| {
            let ago = to.saturating_sub(usual_span(step));
            ago.unwrap_or(Timestamp::MIN)
        });
        if from >= to {
            return Err(Problem::field("/from", format!("must be before `to`, which is {to}")));
        }
        let from = step.beginning(from);
        let steps = steps(step, from, to);
        if steps > i64::from(MAX_ROWS) {
            let fitting =
                Step::ALL.into_iter().find(|s| self::steps(*s, from, to) <= i64::from(MAX_ROWS));
            let remedy = match fitting {
                Some(fitting) => format!("take step={fitting}, or a shorter time"),
                None => "take a shorter time".to_owned(),
            };
            let detail = format!(
                "from {from} to {to} there are {steps} steps of one {step}, and an answer has \
                 {MAX_ROWS} rows at most; {remedy}"
            );
            return Err(Problem::field("/step", detail));
        }
        Ok(StatsQuery { by, subject, step, from, to })
    }

    /// What rows are about, and which one they are to be about alone.
    fn about(&self) -> Result<(CountedBy, Option<String>), Problem> {
        let named = [
            (StatsBy::WebhookEndpointId, self.webhook_endpoint_id.map(|id| id.to_string())),
            (StatsBy::AlertRuleId, self.alert_rule_id.map(|id| id.to_string())),
            (StatsBy::EventType, self.event_type.clone()),
        ];
        let mut named = named.into_iter().filter_map(|(by, subject)| Some((by, subject?)));
        let (Some((by, subject)), other) = (named.next(), named.next()) else {
            return Ok((self.by.map_or(CountedBy::All, counted), None));
        };
        let by = counted(by);
        let also = other.map(|(other, _)| counted(other)).or(self.by.map(counted));
        match also {
            Some(also) if also != by => {
                let (by, also) = (by.as_str(), also.as_str());
                let detail = format!(
                    "figures are kept by `{by}` and by `{also}`, not by both together; leave one out"
                );
                Err(Problem::field(format!("/{by}"), detail))
            }
            _ => Ok((by, Some(subject))),
        }
    }
}

fn counted(by: StatsBy) -> CountedBy {
    match by {
        StatsBy::WebhookEndpointId => CountedBy::WebhookEndpoint,
        StatsBy::AlertRuleId => CountedBy::AlertRule,
        StatsBy::EventType => CountedBy::EventType,
    }
}

/// What a chart shows when nobody says.
fn usual_span(step: Step) -> SignedDuration {
    SignedDuration::from_hours(match step {
        Step::Minute => 1,
        Step::Hour => 24,
        Step::Day => 30 * 24,
    })
}

fn steps(step: Step, from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()) / step.seconds() + 1
}

/// There are more rows than an answer may have.
pub(super) fn too_many_rows(query: &StatsQuery) -> Problem {
    let longer = Step::ALL.into_iter().find(|step| *step > query.step);
    let longer = longer.map_or_else(String::new, |step| format!("take step={step}, or "));
    let by = query.by.as_str();
    let detail = format!(
        "there are more than {MAX_ROWS} rows; {longer}take a shorter time, or ask for one alone \
         with `{by}=…`"
    );
    Problem::field("/step", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<StatsQuery, Problem> {
        let parameters: StatsParameters =
            serde_urlencoded::from_str(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        parameters.query("2026-03-01T12:34:56Z".parse().unwrap())
    }

    #[test]
    fn what_is_not_said_is_a_chart_of_the_last_day() {
        let query = asked("").unwrap();
        assert_eq!((query.by, query.step, query.subject), (CountedBy::All, Step::Hour, None));
        assert_eq!(query.from.to_string(), "2026-02-28T12:00:00Z");
        assert_eq!(query.to.to_string(), "2026-03-01T12:34:56Z");
    }

    #[test]
    fn too_many_steps_are_refused_with_the_step_to_take() {
        let refused = |query: &str| {
            let problem = asked(query).unwrap_err();
            assert_eq!(problem.errors()[0].pointer, "/step");
            problem.errors()[0].detail.clone()
        };
        let week = "from=2026-02-22T00:00:00Z&step=minute";
        assert!(refused(week).contains("take step=hour"), "{}", refused(week));
        assert!(refused("from=2016-01-01T00:00:00Z").contains("take step=day"));
        let ages = refused("from=1900-01-01T00:00:00Z&step=day");
        assert!(!ages.contains("step=") && ages.contains("a shorter time"), "{ages}");
        assert!(asked("from=2025-12-01T00:00:00Z").is_ok(), "ninety days in hours");
        assert!(asked("from=2026-02-27T12:34:00Z&step=minute").is_ok(), "two days in minutes");
    }

    #[test]
    fn one_thing_alone_is_asked_for_by_its_name() {
        let query = asked("event_type=workflow.failed").unwrap();
        assert_eq!(
            (query.by, query.subject.as_deref()),
            (CountedBy::EventType, Some("workflow.failed"))
        );
        assert!(asked("by=event_type&event_type=workflow.failed").is_ok());
        let refused = asked("by=alert_rule_id&event_type=workflow.failed").unwrap_err();
        assert_eq!(refused.errors()[0].pointer, "/event_type");
    }

    #[test]
    fn a_time_that_ends_before_it_begins_is_refused() {
        let refused = asked("from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z").unwrap_err();
        assert_eq!(refused.errors()[0].pointer, "/from");
    }
}
