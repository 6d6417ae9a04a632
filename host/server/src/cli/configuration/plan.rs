//! What has to be done so that a host has what the files ask for. Asks the host, and changes
//! nothing.

use std::collections::{HashMap, HashSet};

use alerts_domain::label::Label;
use serde_json::Value;

use super::check::check;
use super::complaint::Complaint;
use super::difference::differences;
use super::host::{Host, Refused};
use super::step::{Kind, Step, What};
use super::wanted::{AllWanted, RULES_ENDPOINT, Wanted};
use crate::cli::Failure;

/// Why there is no plan.
pub(super) enum NoPlan {
    /// The files ask for what cannot be.
    Wrong(Vec<Complaint>),
    /// The host could not be asked.
    Failed(Failure),
}

impl From<Failure> for NoPlan {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What is to be done, in an order in which it can be done.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// The ids of the endpoints that are there, by name.
    pub(super) endpoints: HashMap<String, String>,
}

/// How a plan is made.
pub(super) struct Planning<'a> {
    pub(super) host: &'a Host,
    /// Whose files these are.
    pub(super) label: Option<&'a Label>,
    /// Whether what the label has made and no file has any more is to go.
    pub(super) prune: bool,
    pub(super) wanted: &'a AllWanted,
}

/// What the namespace has.
struct There {
    endpoints: Vec<Value>,
    rules: Vec<Value>,
}

impl Planning<'_> {
    /// Looks at everything, and tells all that is wrong at once.
    pub(super) async fn plan(&self) -> Result<Plan, NoPlan> {
        let mut plan = Plan { steps: Vec::new(), endpoints: HashMap::new() };
        let mut wrong = Vec::new();
        for (kind, items) in
            [(Kind::Plugin, &self.wanted.plugins), (Kind::Tenant, &self.wanted.tenants)]
        {
            for item in items {
                match self.host.get(&path_of(kind, &item.name)).await? {
                    Ok(there) => plan.steps.extend(changed(kind, item, &item.name, &there)),
                    Err(refused) => wrong.push(item.place.wrong("", refused.detail())),
                }
            }
        }
        let AllWanted { endpoints, rules, .. } = self.wanted;
        if self.prune || !endpoints.is_empty() || !rules.is_empty() {
            let there = self.there().await?;
            plan.endpoints = ids(&there.endpoints);
            let steps = self.of_namespace(&there, &plan.endpoints, &mut wrong).await?;
            plan.steps.extend(steps);
        }
        if wrong.is_empty() { Ok(plan) } else { Err(NoPlan::Wrong(wrong)) }
    }

    async fn there(&self) -> Result<There, NoPlan> {
        let no = |refused: Refused| NoPlan::Wrong(vec![Complaint::of_host(refused.detail())]);
        Ok(There {
            endpoints: self.host.list(&["v1", "webhooks"]).await?.map_err(no)?,
            rules: self.host.list(&["v1", "alert-rules"]).await?.map_err(no)?,
        })
    }

    async fn of_namespace(
        &self,
        there: &There,
        endpoints: &HashMap<String, String>,
        wrong: &mut Vec<Complaint>,
    ) -> Result<Vec<Step>, Failure> {
        let gone_endpoints = self.gone(&there.endpoints, &self.wanted.endpoints);
        let gone_rules = self.gone(&there.rules, &self.wanted.rules);
        let mut steps = Vec::new();
        for item in &self.wanted.endpoints {
            steps.extend(self.step(Kind::Endpoint, item, &there.endpoints, wrong));
        }
        let names: HashMap<&Value, &Value> =
            there.endpoints.iter().map(|one| (&one["id"], &one["name"])).collect();
        let rules: Vec<Value> = there.rules.iter().map(|rule| named(rule, &names)).collect();
        for item in &self.wanted.rules {
            let complaint = self.endpoint_complaint(item, &there.endpoints, &gone_endpoints);
            if let Some(complaint) = complaint {
                wrong.push(complaint);
                continue;
            }
            steps.extend(self.step(Kind::Rule, item, &rules, wrong));
        }
        for step in &mut steps {
            wrong.extend(check(self.host, step, endpoints).await?);
            wrong.extend(foreign(step));
        }
        // What could only be seen by asking.
        steps.retain(|step| !step.is_nothing());
        wrong.extend(self.still_used(there, &gone_endpoints, &gone_rules));
        steps.extend(gone_rules.iter().map(|gone| Step::delete(Kind::Rule, gone)));
        steps.extend(gone_endpoints.iter().map(|gone| Step::delete(Kind::Endpoint, gone)));
        Ok(steps)
    }

    /// What has to be done for something that a file asks for.
    fn step(
        &self,
        kind: Kind,
        item: &Wanted,
        there: &[Value],
        wrong: &mut Vec<Complaint>,
    ) -> Option<Step> {
        let mut same_name = there.iter().filter(|one| one["name"] == *item.name);
        let Some(here) = same_name.next() else {
            let what = What::Create { managed_by: self.label.cloned() };
            return Some(Step::of(kind, item, what));
        };
        if same_name.next().is_some() {
            wrong.push(item.place.wrong("/name", twice(kind, &item.name, there)));
            return None;
        }
        let step = changed(kind, item, here["id"].as_str().unwrap_or_default(), here)?;
        let owner = here["managed_by"].as_str();
        let is_own = |owner: &&str| self.label.is_some_and(|label| label.as_str() == *owner);
        let belongs_to = owner.filter(|owner| !is_own(owner)).map(str::to_owned);
        let switched_off = here["disabled_reason"].as_str().map(str::to_owned);
        Some(Step { belongs_to, switched_off, ..step })
    }

    /// What this label has made and no file has any more.
    fn gone<'v>(&self, there: &'v [Value], wanted: &[Wanted]) -> Vec<&'v Value> {
        let (true, Some(label)) = (self.prune, self.label) else { return Vec::new() };
        let wanted: HashSet<&str> = wanted.iter().map(|item| item.name.as_str()).collect();
        let is_own = |one: &&Value| one["managed_by"] == *label.as_str();
        let is_wanted = |one: &Value| one["name"].as_str().is_some_and(|n| wanted.contains(n));
        there.iter().filter(is_own).filter(|one| !is_wanted(one)).collect()
    }

    /// What is wrong with the endpoint that a rule names.
    fn endpoint_complaint(
        &self,
        rule: &Wanted,
        there: &[Value],
        gone: &[&Value],
    ) -> Option<Complaint> {
        let name = rule.fields[RULES_ENDPOINT].as_str()?;
        let known = there.iter().filter(|one| one["name"] == *name).count();
        let detail = if known > 1 {
            twice(Kind::Endpoint, name, there)
        } else if self.wanted.endpoints.iter().any(|item| item.name == name) {
            return None;
        } else if gone.iter().any(|one| one["name"] == *name) {
            format!("the endpoint `{name}` is in no file any more, and would be deleted")
        } else if known == 1 {
            return None;
        } else {
            format!("there is no endpoint `{name}`, neither in these files nor in the namespace")
        };
        Some(rule.place.wrong("/endpoint", detail))
    }

    /// An endpoint does not go while a rule leads to it that stays as it is.
    fn still_used(
        &self,
        there: &There,
        gone_endpoints: &[&Value],
        gone_rules: &[&Value],
    ) -> Vec<Complaint> {
        let goes = |rule: &Value| gone_rules.iter().any(|gone| gone["id"] == rule["id"]);
        let changes = |rule: &Value| self.wanted.rules.iter().any(|one| rule["name"] == *one.name);
        let stays = there.rules.iter().filter(|rule| !goes(rule) && !changes(rule));
        let used = stays.filter_map(|rule| {
            let to = &rule["webhook_endpoint_id"];
            let endpoint = gone_endpoints.iter().find(|gone| gone["id"] == *to)?;
            Some(Complaint::of_host(format!(
                "the endpoint {} is in no file any more and would be deleted, but the rule {}, \
                 which this configuration has not made, leads to it",
                endpoint["name"], rule["name"]
            )))
        });
        used.collect()
    }
}

fn path_of(kind: Kind, name: &str) -> Vec<&str> {
    let grants = (kind == Kind::Plugin).then_some("grants");
    ["v1", kind.collection(), name].into_iter().chain(grants).collect()
}

/// The step that makes a resource as it is asked for; none where nothing is different, as
/// far as can be seen.
fn changed(kind: Kind, item: &Wanted, id: &str, there: &Value) -> Option<Step> {
    let what = What::Change { id: id.to_owned(), etag: None, different: Vec::new() };
    let mut step = Step::of(kind, item, what);
    // A URL that the host keeps secret is compared by the host.
    let is_masked = there["target_url"].as_str().is_some_and(|url| url.ends_with('…'));
    if is_masked && let Some(url) = step.fields.remove("target_url") {
        step.kept.insert("target_url".to_owned(), url);
    }
    let different = differences(&step.fields, there);
    let etag = there["etag"].as_str().map(str::to_owned);
    step.what = What::Change { id: id.to_owned(), etag, different };
    (!step.is_nothing()).then_some(step)
}

/// A rule with its endpoint's name, as the files have it.
fn named(rule: &Value, names: &HashMap<&Value, &Value>) -> Value {
    let mut rule = rule.clone();
    let name = names.get(&rule["webhook_endpoint_id"]).map(|name| (*name).clone());
    rule[RULES_ENDPOINT] = name.unwrap_or_default();
    rule
}

/// Each id by its name.
fn ids(there: &[Value]) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    there.iter().map(|one| (text(&one["name"]), text(&one["id"]))).collect()
}

/// That a name says nothing.
fn twice(kind: Kind, name: &str, there: &[Value]) -> String {
    let same = there.iter().filter(|one| one["name"] == *name);
    let ids: Vec<&str> = same.filter_map(|one| one["id"].as_str()).collect();
    let (word, ids) = (kind.word(), ids.join(", "));
    format!("the namespace has more than one {word} `{name}` ({ids}); rename all but one")
}

/// Nobody changes what another configuration has made.
fn foreign(step: &Step) -> Option<Complaint> {
    let (owner, place) = (step.belongs_to.as_ref()?, step.place.as_ref()?);
    (!step.is_nothing()).then(|| {
        let word = step.kind.word();
        place.wrong(
            "/name",
            format!(
                "the {word} `{}` was made by the configuration `{owner}`; change it there, or \
                 with --label {owner}, or give this one another name",
                step.name
            ),
        )
    })
}
