//! GitHub's webhooks: runs of Actions workflows (`workflow_run`).
//!
//! A run keeps its id when it is run again, with the next `run_attempt`. `requested` comes
//! when a run is made, not when it is run again; `in_progress` comes each time.

use alerts_domain::Timestamp;
use alerts_domain::problem::FieldError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::payload;
use super::request::Incoming;
use super::run_event::{Phase, Read, RunTold};

/// The header that says what a request is about.
const EVENT: &str = "x-github-event";

#[derive(Debug, Deserialize)]
struct Payload {
    action: String,
    workflow_run: Run,
    workflow: Option<Workflow>,
    repository: Repository,
}

#[derive(Debug, Deserialize)]
struct Run {
    id: u64,
    name: Option<String>,
    #[serde(default = "first")]
    run_attempt: u64,
    run_number: Option<u64>,
    status: Option<String>,
    conclusion: Option<String>,
    html_url: Option<String>,
    head_branch: Option<String>,
    head_sha: Option<String>,
    /// What set it off: `push`, `schedule`.
    event: Option<String>,
    display_title: Option<String>,
    created_at: Option<Timestamp>,
    run_started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    triggering_actor: Option<Actor>,
}

#[derive(Debug, Deserialize)]
struct Workflow {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    login: Option<String>,
}

fn first() -> u64 {
    1
}

/// What a request of GitHub's tells.
pub(super) fn read(request: &Incoming, body: Value) -> Result<Read, Vec<FieldError>> {
    match request.header(EVENT) {
        Some("workflow_run") => {}
        Some("ping") => return Ok(Read::Ignored("the webhook works".to_owned())),
        Some(other) => {
            let why = format!("events of type `{other}` are not about runs of workflows");
            return Ok(Read::Ignored(why));
        }
        None => {
            let detail = "the request has no header `X-GitHub-Event`; GitHub sends one";
            return Err(vec![FieldError::new("", detail)]);
        }
    }
    let Payload { action, workflow_run: run, workflow, repository } = payload::read(body)?;
    let Some(phase) = phase(&action, &run) else {
        let conclusion = run.conclusion.as_deref().unwrap_or("none");
        let why = format!("`{action}` with the conclusion `{conclusion}` is neither start nor end");
        return Ok(Read::Ignored(why));
    };
    let at = match phase {
        Phase::Started => run.created_at,
        Phase::Restarted => run.run_started_at,
        Phase::Succeeded | Phase::Failed => run.updated_at,
    };
    let graph_name = run.name.or(workflow.and_then(|workflow| workflow.name));
    Ok(Read::Run(Box::new(RunTold {
        source: repository.html_url.unwrap_or_else(|| format!("/github/{}", repository.full_name)),
        graph_name: graph_name.unwrap_or_else(|| repository.full_name.clone()),
        run_id: run.id.to_string(),
        phase,
        epoch: run.run_attempt.to_string(),
        status: run.conclusion.or(run.status).unwrap_or(action),
        created_at: run.created_at,
        began_at: run.run_started_at,
        at,
        more: json!({
            "repository": repository.full_name,
            "url": run.html_url,
            "run_number": run.run_number,
            "run_attempt": run.run_attempt,
            "title": run.display_title,
            "branch": run.head_branch,
            "commit": run.head_sha,
            "trigger": run.event,
            "actor": run.triggering_actor.and_then(|actor| actor.login),
        }),
    })))
}

/// None where nothing starts or ends: `action_required` waits for somebody's approval.
fn phase(action: &str, run: &Run) -> Option<Phase> {
    match (action, run.conclusion.as_deref()) {
        ("requested" | "in_progress", _) => Some(match run.run_attempt {
            0 | 1 => Phase::Started,
            _ => Phase::Restarted,
        }),
        ("completed", Some("success" | "neutral" | "skipped")) => Some(Phase::Succeeded),
        ("completed", Some("action_required") | None) => None,
        ("completed", Some(_)) => Some(Phase::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::tenant::TenantId;
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn request(event: &'static str) -> Incoming {
        let headers = [(EVENT.parse().unwrap(), event.parse().unwrap())];
        let headers = HeaderMap::from_iter(headers);
        Incoming { headers, query: Vec::new(), body: Bytes::new() }
    }

    fn body(action: &str, conclusion: Option<&str>, attempt: u64) -> Value {
        json!({
            "action": action,
            "workflow_run": {
                "id": 9_876_543_210_u64, "name": "Build", "run_number": 17, "run_attempt": attempt,
                "status": "completed", "conclusion": conclusion, "event": "push",
                "html_url": "https://github.com/ada/engine/actions/runs/9876543210",
                "head_branch": "main", "head_sha": "c0ffee", "display_title": "Faster wheels",
                "created_at": "2026-11-28T08:00:00Z", "run_started_at": "2026-11-28T08:30:00Z",
                "updated_at": "2026-11-28T08:31:00Z", "triggering_actor": {"login": "ada"},
            },
            "workflow": {"id": 1, "name": "Build", "path": ".github/workflows/build.yml"},
            "repository": {"full_name": "ada/engine", "html_url": "https://github.com/ada/engine"},
            "sender": {"login": "ada"},
        })
    }

    fn event(action: &str, conclusion: Option<&str>, attempt: u64) -> Option<Value> {
        let ada = TenantId::new("ada").unwrap();
        match read(&request("workflow_run"), body(action, conclusion, attempt)).unwrap() {
            Read::Run(run) => Some(run.event(&ada, Timestamp::UNIX_EPOCH)),
            Read::Ignored(_) => None,
        }
    }

    #[test]
    fn a_run_that_failed_says_which_where_and_how_long_it_took() {
        let failed = event("completed", Some("failure"), 2).unwrap();
        assert_eq!(failed["type"], "workflow.failed");
        assert_eq!(failed["id"], "9876543210/failed/2");
        assert_eq!(failed["source"], "https://github.com/ada/engine");
        assert_eq!(failed["subject"], "graph/Build/run/9876543210");
        assert_eq!(failed["time"], "2026-11-28T08:31:00Z");
        let expected = json!({
            "namespace": "ada", "graph_name": "Build", "run_id": "9876543210",
            "status": "failure", "created_at": "2026-11-28T08:00:00Z",
            "finished_at": "2026-11-28T08:31:00Z", "duration_ms": 60_000,
            "repository": "ada/engine", "run_number": 17, "run_attempt": 2,
            "url": "https://github.com/ada/engine/actions/runs/9876543210",
            "title": "Faster wheels", "branch": "main", "commit": "c0ffee", "trigger": "push",
            "actor": "ada",
        });
        assert_eq!(failed["data"], expected);
    }

    #[test]
    fn each_end_and_each_start_is_one_event_however_often_it_is_told() {
        let named = |action, conclusion, attempt| {
            let event = event(action, conclusion, attempt)?;
            Some((event["type"].as_str()?.to_owned(), event["id"].as_str()?.to_owned()))
        };
        let told = |kind: &str, id: &str| Some((kind.to_owned(), format!("9876543210/{id}")));
        assert_eq!(named("requested", None, 1), told("workflow.started", "started/1"));
        assert_eq!(named("in_progress", None, 1), told("workflow.started", "started/1"));
        assert_eq!(named("in_progress", None, 2), told("workflow.restarted", "restarted/2"));
        for good in ["success", "neutral", "skipped"] {
            let told = told("workflow.succeeded", "succeeded/1");
            assert_eq!(named("completed", Some(good), 1), told, "{good}");
        }
        for bad in ["failure", "timed_out", "startup_failure", "cancelled", "stale", "new_word"] {
            let told = told("workflow.failed", "failed/1");
            assert_eq!(named("completed", Some(bad), 1), told, "{bad}");
        }
        assert_eq!(named("completed", Some("action_required"), 1), None);
        assert_eq!(named("deleted", None, 1), None);
    }

    #[test]
    fn what_is_not_about_runs_is_ignored_and_what_does_not_read_has_a_place() {
        for event in ["ping", "push", "workflow_job"] {
            assert!(matches!(read(&request(event), json!({})), Ok(Read::Ignored(_))), "{event}");
        }
        let mut broken = body("completed", Some("success"), 1);
        broken["workflow_run"]["id"] = json!("x");
        let errors = read(&request("workflow_run"), broken).unwrap_err();
        assert_eq!(errors[0].pointer, "/workflow_run/id");
    }
}
