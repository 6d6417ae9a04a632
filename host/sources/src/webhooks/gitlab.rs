//! GitLab's webhooks: pipelines.
//!
//! A pipeline that is retried keeps its id and goes from its end back to `running`. GitLab
//! sets `finished_at` at each end and never takes it back, so a pipeline that is under way
//! and has one was opened again after that end.

use alerts_domain::Timestamp;
use alerts_domain::problem::FieldError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::payload;
use super::run_event::{Phase, Read, RunTold};

#[derive(Debug, Deserialize)]
struct Kind {
    object_kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Payload {
    object_attributes: Pipeline,
    project: Project,
    user: Option<User>,
    #[serde(default)]
    builds: Vec<Build>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    id: u64,
    name: Option<String>,
    status: String,
    #[serde(rename = "ref")]
    branch: Option<String>,
    sha: Option<String>,
    /// What set it off: `push`, `schedule`.
    source: Option<String>,
    url: Option<String>,
    created_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Project {
    path_with_namespace: String,
    web_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    username: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Build {
    id: u64,
    name: String,
    status: String,
    #[serde(default)]
    allow_failure: bool,
}

/// What a request of GitLab's tells.
pub(super) fn read(body: Value) -> Result<Read, Vec<FieldError>> {
    let Kind { object_kind } = payload::read(body.clone())?;
    match object_kind.as_deref() {
        Some("pipeline") => {}
        Some(other) => {
            let why = format!("events of kind `{other}` are not about pipelines");
            return Ok(Read::Ignored(why));
        }
        None => {
            let detail = "is missing; GitLab says here what its webhook is about";
            return Err(vec![FieldError::new("/object_kind", detail)]);
        }
    }
    let Payload { object_attributes: pipeline, project, user, builds } = payload::read(body)?;
    let finished_at = pipeline.finished_at.as_deref().and_then(time);
    let Some(phase) = phase(&pipeline.status, finished_at.is_some()) else {
        let why = format!("the status `{}` is neither start nor end", pipeline.status);
        return Ok(Read::Ignored(why));
    };
    let created_at = pipeline.created_at.as_deref().and_then(time);
    let failed = builds.iter().find(|build| build.status == "failed" && !build.allow_failure);
    let failed = failed.filter(|_| phase == Phase::Failed);
    let at = match phase {
        Phase::Started => created_at,
        // Of a new start it is not told when that was: when it was heard of.
        Phase::Restarted => None,
        Phase::Succeeded | Phase::Failed => finished_at,
    };
    Ok(Read::Run(Box::new(RunTold {
        source: project
            .web_url
            .unwrap_or_else(|| format!("/gitlab/{}", project.path_with_namespace)),
        graph_name: pipeline.name.unwrap_or_else(|| project.path_with_namespace.clone()),
        run_id: pipeline.id.to_string(),
        phase,
        epoch: match phase {
            Phase::Started => "1".to_owned(),
            _ => finished_at.map_or_else(|| "1".to_owned(), |at| at.as_second().to_string()),
        },
        status: pipeline.status,
        created_at,
        began_at: None,
        at,
        more: json!({
            "repository": project.path_with_namespace,
            "url": pipeline.url,
            "branch": pipeline.branch,
            "commit": pipeline.sha,
            "trigger": pipeline.source,
            "actor": user.and_then(|user| user.username),
            "total_count": (!builds.is_empty()).then_some(builds.len()),
            "failed_state_id": failed.map(|build| build.id.to_string()),
            "node_name": failed.map(|build| build.name.as_str()),
        }),
    })))
}

/// None where nothing starts or ends: `created` comes before anything runs, and `manual`
/// and `scheduled` wait for somebody or for a time.
fn phase(status: &str, has_ended: bool) -> Option<Phase> {
    match status {
        "waiting_for_resource" | "preparing" | "pending" | "running" => match has_ended {
            true => Some(Phase::Restarted),
            false => Some(Phase::Started),
        },
        "success" | "skipped" => Some(Phase::Succeeded),
        "failed" | "canceled" => Some(Phase::Failed),
        _ => None,
    }
}

/// A time as GitLab writes it: `2026-11-28 08:00:00 UTC`, or in RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    let plain = || text.strip_suffix(" UTC").map(|local| local.replace(' ', "T") + "Z");
    text.parse().ok().or_else(|| plain()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use alerts_domain::tenant::TenantId;

    use super::*;

    fn body(status: &str, finished_at: Option<&str>) -> Value {
        json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": 31, "iid": 3, "name": null, "ref": "main", "tag": false, "sha": "c0ffee",
                "source": "push", "status": status, "stages": ["build", "test"],
                "created_at": "2026-11-28 08:00:00 UTC", "finished_at": finished_at,
                "duration": 63, "url": "https://gitlab.example/ada/engine/-/pipelines/31",
            },
            "user": {"id": 1, "username": "ada"},
            "project": {"id": 1, "path_with_namespace": "ada/engine",
                "web_url": "https://gitlab.example/ada/engine"},
            "builds": [
                {"id": 378, "stage": "test", "name": "lint", "status": "failed",
                    "allow_failure": true},
                {"id": 380, "stage": "test", "name": "unit", "status": "failed",
                    "allow_failure": false},
            ],
        })
    }

    fn event(status: &str, finished_at: Option<&str>) -> Option<Value> {
        let ada = TenantId::new("ada").unwrap();
        match read(body(status, finished_at)).unwrap() {
            Read::Run(run) => Some(run.event(&ada, Timestamp::UNIX_EPOCH)),
            Read::Ignored(_) => None,
        }
    }

    #[test]
    fn a_pipeline_that_failed_says_which_job_did() {
        let failed = event("failed", Some("2026-11-28 08:01:03 UTC")).unwrap();
        assert_eq!(failed["type"], "workflow.failed");
        assert_eq!(failed["source"], "https://gitlab.example/ada/engine");
        assert_eq!(failed["subject"], "graph/ada/engine/run/31");
        assert_eq!(failed["time"], "2026-11-28T08:01:03Z");
        let data = &failed["data"];
        assert_eq!((&data["node_name"], &data["failed_state_id"]), (&json!("unit"), &json!("380")));
        assert_eq!((&data["run_id"], &data["duration_ms"]), (&json!("31"), &json!(63_000)));
        assert_eq!(data["url"], "https://gitlab.example/ada/engine/-/pipelines/31");
        assert_eq!((&data["total_count"], &data["actor"]), (&json!(2), &json!("ada")));
    }

    #[test]
    fn each_end_is_told_once_and_a_retry_is_another_start() {
        let named = |status, finished_at| {
            let event = event(status, finished_at)?;
            Some(event["id"].as_str()?.to_owned())
        };
        let told = |id: &str| Some(id.to_owned());
        for status in ["pending", "preparing", "waiting_for_resource", "running"] {
            assert_eq!(named(status, None), told("31/started/1"), "{status}");
        }
        let first_end = Some("2026-11-28 08:01:03 UTC");
        assert_eq!(named("failed", first_end), told("31/failed/1795852863"));
        assert_eq!(named("running", first_end), told("31/restarted/1795852863"));
        let second_end = Some("2026-11-28T08:05:00Z");
        assert_eq!(named("success", second_end), told("31/succeeded/1795853100"));
        for status in ["created", "manual", "scheduled", "canceling", "new_word"] {
            assert_eq!(named(status, None), None, "{status}");
        }
    }

    #[test]
    fn what_is_not_about_pipelines_is_ignored_and_what_does_not_read_has_a_place() {
        assert!(matches!(read(json!({"object_kind": "push"})), Ok(Read::Ignored(_))));
        assert_eq!(read(json!({})).unwrap_err()[0].pointer, "/object_kind");
        let mut broken = body("failed", None);
        broken["object_attributes"]["status"] = json!(7);
        assert_eq!(read(broken).unwrap_err()[0].pointer, "/object_attributes/status");
    }
}
