//! Whom a message notifies. A setting names somebody; what Slack reads is made
//! here, so that no setting can hold markup of its own.

use serde::de::{Deserialize, Deserializer, Error};

/// Somebody to notify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mention {
    /// `here` or `channel`.
    Everyone(&'static str),
    /// A member's id.
    Member(String),
    /// A user group's id.
    Group(String),
}

impl Mention {
    /// As Slack reads it in a message.
    pub(crate) fn markup(&self) -> String {
        match self {
            Self::Everyone(name) => format!("<!{name}>"),
            Self::Member(id) => format!("<@{id}>"),
            Self::Group(id) => format!("<!subteam^{id}>"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        // Slack's ids: a letter that says of what, then capitals and digits.
        let rest = text.get(1..).unwrap_or_default();
        let is_id = (2..=20).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match text {
            "here" => Some(Self::Everyone("here")),
            "channel" => Some(Self::Everyone("channel")),
            _ if is_id && text.starts_with(['U', 'W']) => Some(Self::Member(text.to_owned())),
            _ if is_id && text.starts_with('S') => Some(Self::Group(text.to_owned())),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Mention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(
                "write `here`, `channel`, or the id of a member (`U…` or `W…`) or of a user group \
                 (`S…`) as Slack shows it under \"Copy member ID\"; names and markup do not work",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_markup() {
        for (setting, markup) in [
            ("here", "<!here>"),
            ("channel", "<!channel>"),
            ("U024BE7LH", "<@U024BE7LH>"),
            ("W024BE7LH", "<@W024BE7LH>"),
            ("S0614TZR7", "<!subteam^S0614TZR7>"),
        ] {
            assert_eq!(Mention::parse(setting).unwrap().markup(), markup);
        }
    }

    #[test]
    fn names_and_markup_are_refused() {
        for setting in
            ["", "@here", "<!here>", "everyone", "ada", "U", "u024be7lh", "U024> <!channel", "Üb1"]
        {
            assert_eq!(Mention::parse(setting), None, "{setting}");
        }
    }
}
