//! A YAML file as JSON, with the line on which each part of it stands.

use std::collections::BTreeMap;
use std::fmt;

use alerts_domain::problem::pointer_to;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// What a file says.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) value: Value,
    /// By JSON pointer. Of a member it is the line of its name.
    lines: BTreeMap<String, u64>,
}

/// A file that is no YAML, or that says something twice.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    /// 1 where the parser does not know.
    pub(super) line: u64,
    pub(super) detail: String,
}

impl Tree {
    /// Reads one YAML document. Aliases that would grow beyond measure, repeated keys and
    /// more than one document are refused.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        // YAML 1.2, as the schema is: `yes` is a text. What is around an error may be somebody's own; the line says where to look.
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        let read = serde_saphyr::from_str_with_options::<Spanned<Part>>(text, options);
        let root = read.map_err(|error| Unreadable {
            line: error.location().map_or(1, |place| place.line().max(1)),
            detail: in_plain_words(&error.without_snippet().to_string()),
        })?;
        let mut lines = BTreeMap::new();
        let value = flatten(root, String::new(), &mut lines);
        Ok(Self { value, lines })
    }

    /// The line of the part at a JSON pointer, or of what it would be in.
    pub(super) fn line(&self, pointer: &str) -> u64 {
        let mut pointer = pointer;
        loop {
            match (self.lines.get(pointer), pointer.rfind('/')) {
                (Some(line), _) => return *line,
                (None, Some(end)) => pointer = &pointer[..end],
                (None, None) => return 1,
            }
        }
    }
}

/// The parser's message without its place, which is told beside it, and without the names of
/// its own functions.
fn in_plain_words(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.rsplit_once(" at line ").map_or(line, |(what, _)| what);
    match line.starts_with("multiple YAML documents") {
        true => "there is more than one document; put each into a file of its own".to_owned(),
        false => line.to_owned(),
    }
}

fn flatten(part: Spanned<Part>, pointer: String, lines: &mut BTreeMap<String, u64>) -> Value {
    let line = part.referenced.line();
    lines.entry(pointer.clone()).or_insert(line);
    match part.value {
        Part::Scalar(value) => value,
        Part::List(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| flatten(item, format!("{pointer}/{index}"), lines))
            .collect(),
        Part::Map(members) => {
            let member = |(name, member): (Spanned<String>, _)| {
                let pointer = pointer.clone() + &pointer_to(&name.value);
                lines.insert(pointer.clone(), name.referenced.line());
                (name.value, flatten(member, pointer, lines))
            };
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
    }
}

/// A part of a file.
enum Part {
    Scalar(Value),
    List(Vec<Spanned<Part>>),
    Map(Vec<(Spanned<String>, Spanned<Part>)>),
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has too")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Part, E> {
        Ok(Part::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Part, E> {
        Ok(Part::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Part, E> {
        Ok(Part::Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Part, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Part::Scalar(number.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Part, E> {
        Ok(Part::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Part, E> {
        Ok(Part::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        Part::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Part::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Part::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "\
# A comment.
endpoints:
  - name: On call
    is_active: yes
    settings: {deep: [1, 2.5, null]}

    rate_limit:
      per_minute: 60
";

    #[test]
    fn a_file_is_json_and_each_part_has_its_line() {
        let tree = Tree::read(FILE).unwrap();
        let endpoint = json!({
            "name": "On call",
            "is_active": "yes",
            "settings": {"deep": [1, 2.5, null]},
            "rate_limit": {"per_minute": 60},
        });
        assert_eq!(tree.value, json!({"endpoints": [endpoint]}));
        for (pointer, line) in [
            ("/endpoints", 2),
            ("/endpoints/0", 3),
            ("/endpoints/0/is_active", 4),
            ("/endpoints/0/settings/deep/1", 5),
            ("/endpoints/0/rate_limit", 7),
            ("/endpoints/0/rate_limit/per_minute", 8),
            ("/endpoints/0/missing/below", 3),
            ("", 2),
        ] {
            assert_eq!(tree.line(pointer), line, "{pointer}");
        }
    }

    #[test]
    fn what_is_no_yaml_or_said_twice_is_told_with_its_line() {
        for (text, line) in [
            ("a: 1\nb: [1, 2\nc: 3\n", 3),
            ("a: 1\nb: 2\na: 3\n", 3),
            ("a:\n  x: .inf\n", 2),
            ("a: 1\n---\nb: 1\n", 3),
        ] {
            let error = Tree::read(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error:?}");
        }
    }

    #[test]
    fn aliases_cannot_grow_beyond_measure() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let before = format!("*a{}", level - 1);
            let list = vec![before; 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{list}]\n");
        }
        let error = Tree::read(&bomb).unwrap_err();
        assert!(error.detail.contains("alias") || error.detail.contains("budget"), "{error:?}");
    }
}
