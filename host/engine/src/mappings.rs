//! Mappings: expressions in a condition language that make values of what other programs
//! send. Owns which language that is, and asks it; what the values are for is known above.

use alerts_domain::condition::Condition;
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_package::Kind;
use alerts_sandbox::{Plugin, Sandbox};
use bytes::Bytes;
use serde_json::Value;

use std::sync::Arc;

use crate::diagnostics::in_source;
use crate::error::{ChangeError, EngineError};
use crate::plugins::Plugins;

/// The language of mappings: that of conditions which name none.
const LANGUAGE: &str = Condition::DEFAULT_LANGUAGE;

/// Checks mappings, and evaluates them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mappings {
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
}

impl Mappings {
    /// What is wrong with expressions that can use the variable `name`, each under the
    /// pointer that it comes with, with line and column.
    ///
    /// # Errors
    /// The language cannot be used now.
    pub async fn check(
        &self,
        tenant: &TenantId,
        name: &str,
        expressions: &[(String, &str)],
    ) -> Result<Vec<FieldError>, ChangeError> {
        let language = self.language(tenant)?;
        let sources = expressions.iter().map(|(_, source)| (*source).to_owned()).collect();
        let names = vec![name.to_owned()];
        let found = self.sandbox.check_mapping(&language, tenant, sources, names).await?;
        let told = expressions.iter().zip(found);
        Ok(told.flat_map(|((pointer, source), found)| in_source(source, pointer, found)).collect())
    }

    /// What each expression makes of the input, in order. The input is a JSON object with one
    /// member for each variable.
    ///
    /// # Errors
    /// The language cannot be used now; or the expressions want more than they may have, which
    /// is told of the field `/mapping`.
    pub async fn evaluate(
        &self,
        tenant: &TenantId,
        expressions: Vec<String>,
        input: &Value,
    ) -> Result<Vec<Result<Value, String>>, ChangeError> {
        let language = self.language(tenant)?;
        let input = Bytes::from(input.to_string());
        let values = self.sandbox.map(&language, tenant, expressions, input).await;
        values.map_err(|error| match error.is_passing() {
            true => error.into(),
            // They want more than a call may have, for this input. Nothing else is wrong.
            false => ChangeError::field("/mapping", format!("gives no values: {error}")),
        })
    }

    fn language(&self, tenant: &TenantId) -> Result<Arc<Plugin>, ChangeError> {
        let Some(language) = self.plugins.get(Kind::Condition, LANGUAGE) else {
            if self.plugins.is_awaited(LANGUAGE) {
                return Err(EngineError::Compiling { id: LANGUAGE.to_owned() }.into());
            }
            let detail =
                format!("the plugin `{LANGUAGE}`, in which mappings are written, is not there");
            return Err(ChangeError::field("/mapping", detail));
        };
        if !self.plugins.is_open_to(LANGUAGE, tenant) {
            let detail = format!(
                "the language `{LANGUAGE}`, in which mappings are written, is not open to this \
                 namespace; ask the operator to grant it"
            );
            return Err(ChangeError::field("/mapping", detail));
        }
        Ok(language)
    }
}
