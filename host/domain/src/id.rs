//! Ids: one type each, with a prefix that a person recognises in a log line.
//!
//! An id is a ULID: 48 bits of milliseconds, then 80 random bits, so ids made
//! later sort later and new rows land at the end of an index.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ulid::Ulid;

/// The text is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of this kind: expected `{prefix}` followed by 26 characters")]
pub struct InvalidId {
    /// What was given, cut to a length that is safe to print.
    pub text: String,
    /// The prefix that was expected, with its underscore.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// What the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id. `random` is used up to 80 bits.
            pub fn new(now: Timestamp, random: u128) -> Self {
                Self(Ulid::from_parts(now.as_millisecond().max(0) as u64, random))
            }

            /// When it was made, to the millisecond.
            pub fn made_at(self) -> Timestamp {
                let millisecond = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                self.0.array_to_str(&mut buffer);
                buffer.make_ascii_lowercase();
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&buffer).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId {
                        text: text.chars().take(40).collect(),
                        prefix: $prefix,
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "[0-9a-z]{26}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

id!(
    /// A webhook endpoint.
    EndpointId, "wh_"
);
id!(
    /// An alert rule.
    RuleId, "rule_"
);
id!(
    /// An event as stored here; the emitter's own id is `Event::id`.
    EventId, "evt_"
);
id!(
    /// A delivery; receivers see it as `webhook-id`.
    DeliveryId, "dlv_"
);
id!(
    /// An API key's public part.
    ApiKeyId, "key_"
);
id!(
    /// A person's session in a browser; its token is another text.
    SessionId, "ses_"
);
id!(
    /// A link that opens a session in one namespace; its token is another text.
    PortalLinkId, "portal_"
);
id!(
    /// A webhook in: what another program posts to.
    SourceId, "src_"
);
id!(
    /// One running process that takes deliveries under a lease.
    HostId, "host_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_what_was_printed() {
        let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 7);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("dlv_"));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = RuleId::new(Timestamp::UNIX_EPOCH, 7).to_string();
        assert!(id.parse::<DeliveryId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let early = EventId::new(Timestamp::from_millisecond(1).unwrap(), u128::MAX);
        let late = EventId::new(Timestamp::from_millisecond(2).unwrap(), 0);
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.made_at().as_millisecond(), 2);
    }
}
