//! What is known of a value before there is one.

use std::fmt;

/// The type of an expression, as far as it shows in the source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    /// Anything: most of an event.
    Dyn,
    /// The item of an empty list, which fits everywhere.
    Never,
    /// The result of arithmetic on what is not known: no truth value, whatever it is.
    Computed,
    /// An `int`, a `uint` or a `double`.
    Number,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    /// What `type(…)` gives, and what `int` is.
    Kind,
    Ip,
    Cidr,
    Optional(Box<Type>),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// The event itself, whose attributes are known.
    Event,
}

impl Type {
    pub(crate) fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    pub(crate) fn optional(value: Self) -> Self {
        Self::Optional(Box::new(value))
    }

    /// Whether nothing is known that would say no.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Dyn | Self::Never)
    }

    pub(crate) fn may_be_bool(&self) -> bool {
        self.is_open() || *self == Self::Bool
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number | Self::Int | Self::Uint | Self::Double)
    }

    pub(crate) fn may_be_number(&self) -> bool {
        self.is_open() || self.is_number() || *self == Self::Computed
    }

    /// Whether a value of the one type can be one of the other. Items of lists and
    /// maps are not compared: an empty list is one of any kind.
    pub(crate) fn may_be(&self, other: &Self) -> bool {
        if self.is_open() || other.is_open() || self == other {
            return true;
        }
        let is_computed = |one: &Self, other: &Self| {
            let times = matches!(other, Self::Timestamp | Self::Duration);
            let sums = matches!(other, Self::Text | Self::Bytes | Self::List(_));
            *one == Self::Computed && (other.is_number() || times || sums)
        };
        match (self, other) {
            (Self::Number, other) | (other, Self::Number) if other.is_number() => true,
            (Self::List(_), Self::List(_)) | (Self::Optional(_), Self::Optional(_)) => true,
            (Self::Map(..) | Self::Event, Self::Map(..) | Self::Event) => true,
            (one, other) => is_computed(one, other) || is_computed(other, one),
        }
    }

    /// What is known of a value that is of one type or of the other.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, known) | (known, Self::Never) => known,
            (Self::List(left), Self::List(right)) => Self::list(left.or(*right)),
            (left, right) if left == right => left,
            (left, right) if left.is_number() && right.is_number() => Self::Number,
            _ => Self::Dyn,
        }
    }

    /// As a condition's author spells it in a signature of this plugin.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "number" => Self::Number,
            "string" => Self::Text,
            "bytes" => Self::Bytes,
            "timestamp" => Self::Timestamp,
            "duration" => Self::Duration,
            "type" => Self::Kind,
            "ip" => Self::Ip,
            "cidr" => Self::Cidr,
            "optional" => Self::optional(Self::Dyn),
            "list" => Self::list(Self::Dyn),
            "map" => Self::Map(Box::new(Self::Dyn), Box::new(Self::Dyn)),
            _ => Self::Dyn,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn | Self::Never => "dyn",
            Self::Computed => "number, text or time",
            Self::Number => "number",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Kind => "type",
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Optional(_) => "optional",
            Self::List(_) => "list",
            Self::Map(..) | Self::Event => "map",
        })
    }
}
