//! Making and changing webhooks in: checked, secrets sealed, written with an audit entry.

use std::sync::Arc;

use alerts_domain::id::SourceId;
use alerts_domain::keyring::{Keyring, OpenError, Sealed};
use alerts_domain::problem::FieldError;
use alerts_domain::secret::Secret;
use alerts_domain::source::{Mapping, SourceSpec, WebhookSource, secret_problem};
use alerts_engine::{
    Actor, ChangeError, Engine, Expected, Fields, between, made, name_problems, value,
};
use alerts_store::{Store, StoredWebhookSource};
use serde_json::json;

use super::notes::Notes;

/// What is missing when there is none.
const KIND: &str = "source";

/// A new source as a tenant asks for it.
#[derive(Debug, Clone)]
pub struct SourceDraft {
    /// All but its secret.
    pub spec: SourceSpec,
    /// By what its sender is known; made when absent.
    pub secret: Option<Secret>,
}

/// A change of a source; what is absent stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field changes the one of the same name in `SourceSpec`")]
pub struct SourcePatch {
    pub name: Option<String>,
    pub mapping: Option<Mapping>,
    /// The sender is known by this one alone from then on.
    pub secret: Option<Secret>,
}

/// The webhooks in of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebhookSources(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    keyring: Keyring,
    notes: Notes,
}

impl WebhookSources {
    /// Those of this engine's database, their secrets sealed with these keys.
    pub fn new(engine: Engine, keyring: Keyring) -> Self {
        Self(Arc::new(Inner { engine, keyring, notes: Notes::default() }))
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(super) fn store(&self) -> &Store {
        self.engine().store()
    }

    pub(super) fn notes(&self) -> &Notes {
        &self.0.notes
    }

    /// Makes a source. The secret is shown to its maker this once.
    pub async fn create(
        &self,
        actor: &Actor,
        draft: SourceDraft,
    ) -> Result<(WebhookSource, Secret), ChangeError> {
        let SourceDraft { spec, secret } = draft;
        let mut problems: Vec<FieldError> =
            secret.as_ref().and_then(secret_problem).into_iter().collect();
        problems.extend(self.problems(actor, &spec).await?);
        refuse(problems)?;
        let (engine, now) = (self.engine(), self.engine().clock().now());
        let secret = secret.unwrap_or_else(|| Secret::generate_signing(engine.entropy().bytes()));
        let mut source = WebhookSource {
            id: engine.entropy().id(now, SourceId::new),
            tenant: actor.tenant.clone(),
            spec,
            sealed_secret: Sealed::from_stored(String::new()),
            version: 1,
            created_by: actor.name.clone(),
            created_at: now,
            updated_at: now,
        };
        self.seal(&mut source, &secret);
        let entry = actor.does("source.created", source.id, made(audited(&source.spec)));
        self.store().create_webhook_source(&source, engine.quotas(), &entry, now).await?;
        Ok((source, secret))
    }

    /// Changes a source, if it is the version that is expected.
    pub async fn update(
        &self,
        actor: &Actor,
        id: SourceId,
        expected: &Expected,
        patch: SourcePatch,
    ) -> Result<StoredWebhookSource, ChangeError> {
        let mut stored = self.get(actor, id).await?;
        let source = &mut stored.source;
        expected.require(source.version)?;
        let before = audited(&source.spec);
        if let Some(name) = patch.name {
            source.spec.name = name;
        }
        if patch.mapping.is_some() {
            source.spec.mapping = patch.mapping;
        }
        let mut problems: Vec<FieldError> =
            patch.secret.as_ref().and_then(secret_problem).into_iter().collect();
        problems.extend(self.problems(actor, &source.spec).await?);
        refuse(problems)?;
        let mut untold = Vec::new();
        if let Some(secret) = &patch.secret {
            self.seal(source, secret);
            untold.push("secret");
        }
        let (read, now) = (source.version, self.engine().clock().now());
        source.version += 1;
        source.updated_at = now;
        let detail = between(&before, &audited(&source.spec), &untold);
        let entry = actor.does("source.updated", id, detail);
        if !self.store().update_webhook_source(source, read, &entry, now).await? {
            return Err(expected.overtaken(format_args!("source {id}")));
        }
        Ok(stored)
    }

    /// Deletes a source for good, if it is the version that is expected. The events that it
    /// has made stay.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: SourceId,
        expected: &Expected,
    ) -> Result<(), ChangeError> {
        let StoredWebhookSource { source, .. } = self.get(actor, id).await?;
        expected.require(source.version)?;
        let read = match expected {
            Expected::Whatever => None,
            Expected::OneOf(_) => Some(source.version),
        };
        let now = self.engine().clock().now();
        let entry = actor.does("source.deleted", id, json!({"name": source.spec.name}));
        let deleted =
            self.store().delete_webhook_source(&actor.tenant, id, read, &entry, now).await?;
        match read {
            _ if deleted => Ok(()),
            Some(_) => Err(ChangeError::Stale),
            None => Err(ChangeError::NotFound(KIND)),
        }
    }

    /// The tenant's own source with this id.
    pub async fn get(
        &self,
        actor: &Actor,
        id: SourceId,
    ) -> Result<StoredWebhookSource, ChangeError> {
        let found = self.store().find_webhook_source(id).await?;
        let own = found.filter(|stored| stored.source.tenant == actor.tenant);
        own.ok_or(ChangeError::NotFound(KIND))
    }

    /// What its sender must know.
    pub fn open_secret(&self, source: &WebhookSource) -> Result<Secret, OpenError> {
        let place = SourceSpec::place_of_secret(&source.tenant, source.id);
        let plain = self.0.keyring.open(&source.sealed_secret, &place)?;
        std::str::from_utf8(&plain).map(Secret::new).map_err(|_| OpenError::Damaged)
    }

    fn seal(&self, source: &mut WebhookSource, secret: &Secret) {
        let place = SourceSpec::place_of_secret(&source.tenant, source.id);
        let nonce = self.engine().entropy().bytes();
        source.sealed_secret = self.0.keyring.seal(secret.expose().as_bytes(), &place, nonce);
    }

    async fn problems(
        &self,
        actor: &Actor,
        spec: &SourceSpec,
    ) -> Result<Vec<FieldError>, ChangeError> {
        let mut problems = name_problems(&spec.name);
        problems.extend(spec.mapping_problem());
        if let Some(mapping) = &spec.mapping {
            problems.extend(self.mapping_problems(actor, mapping).await?);
        }
        Ok(problems)
    }

    /// What is wrong with a mapping's expressions, each with its place.
    pub async fn mapping_problems(
        &self,
        actor: &Actor,
        mapping: &Mapping,
    ) -> Result<Vec<FieldError>, ChangeError> {
        let expressions = mapping.expressions();
        let under = |(name, source)| (format!("/mapping/{name}"), source);
        let expressions: Vec<(String, &str)> = expressions.into_iter().map(under).collect();
        let most = Mapping::MAX_EXPRESSION_BYTES;
        let long: Vec<FieldError> = expressions
            .iter()
            .filter(|(_, source)| source.len() > most)
            .map(|(at, _)| FieldError::new(at, format!("must be at most {most} bytes long")))
            .collect();
        if !long.is_empty() {
            return Ok(long);
        }
        let mappings = self.engine().mappings();
        mappings.check(&actor.tenant, Mapping::REQUEST, &expressions).await
    }
}

/// What the audit log may know of a source.
fn audited(spec: &SourceSpec) -> Fields {
    let fields = [
        ("name", value(&spec.name)),
        ("kind", value(spec.kind)),
        ("mapping", value(&spec.mapping)),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn refuse(problems: Vec<FieldError>) -> Result<(), ChangeError> {
    if problems.is_empty() { Ok(()) } else { Err(ChangeError::Invalid(problems)) }
}
