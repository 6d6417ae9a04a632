//! A plugin's name in the forms that languages want, and where a template has them.

use alerts_package::{Kind, Manifest};

/// The id, and what is made of it.
#[derive(Debug)]
pub(crate) struct Names {
    id: String,
    /// With underscores, as modules are called.
    module: String,
    /// In capitals, as types are called.
    type_name: String,
}

impl Names {
    /// Of an id that a manifest takes.
    pub(crate) fn of(id: &str) -> Result<Self, String> {
        let probe = format!("id = {id:?}\nkind = 'condition'\nversion = '0.1.0'\nsummary = 'x'\n");
        Manifest::from_toml(&probe).map_err(|error| {
            let better = suggested(id);
            format!("the name does not do: {error}; for example `{better}`")
        })?;
        let words = id.split('-').filter(|word| !word.is_empty());
        let type_name = words.map(capitalised).collect::<String>();
        Ok(Self { id: id.to_owned(), module: id.replace('-', "_"), type_name })
    }

    /// A template with everything in its place.
    pub(crate) fn fill(&self, template: &str, kind: Kind) -> String {
        let run_flags = match kind {
            Kind::Target => "",
            Kind::Condition => " --source 'status = FAILED'",
        };
        [
            ("{{name}}", self.id.as_str()),
            ("{{module}}", &self.module),
            ("{{type}}", &self.type_name),
            ("{{kind}}", kind.word()),
            ("{{world}}", kind.word()),
            ("{{check_flags}}", check_flags(kind)),
            ("{{run_flags}}", run_flags),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// What `plugin check` must be told about the language that the templates have.
pub(crate) fn check_flags(kind: Kind) -> &'static str {
    match kind {
        Kind::Target => "",
        Kind::Condition => " --source 'status = FAILED'",
    }
}

/// The name that was probably meant.
fn suggested(id: &str) -> String {
    let signs =
        id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let all: String = signs.collect();
    let begun = all.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
    if begun.is_empty() { "my-plugin".to_owned() } else { begun.chars().take(63).collect() }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_a_module_and_a_type() {
        let names = Names::of("my-2nd-plugin").unwrap();
        assert_eq!(
            (names.module.as_str(), names.type_name.as_str()),
            ("my_2nd_plugin", "My2ndPlugin")
        );
        for wrong in ["", "My", "a_b", "../x", "1a"] {
            let error = Names::of(wrong).unwrap_err();
            let better = error.rsplit('`').nth(1).unwrap();
            assert!(Names::of(better).is_ok(), "{wrong}: {error}");
        }
    }
}
