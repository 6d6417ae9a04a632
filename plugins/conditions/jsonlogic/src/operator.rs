//! The operators of JSONLogic that a rule may use, and how each takes its operands.

/// What the check has to know of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Any operands, each evaluated where the operation stands.
    Plain,
    /// At least two operands.
    Comparison,
    /// Names a variable: a path with dots.
    Variable,
    /// Names a variable: a path with a segment for each operand.
    Path,
    /// Names variables.
    Names,
    /// The second operand is evaluated for each item of the first, and sees the
    /// item instead of the event.
    Iteration,
}

/// Listed here and not asked of the engine, so that a new version of it cannot
/// bring in an operator that reads the clock or rolls dice: a verdict must
/// depend on the event alone.
const OPERATORS: [(&str, Shape); 35] = [
    ("var", Shape::Variable),
    ("val", Shape::Path),
    ("missing", Shape::Names),
    ("missing_some", Shape::Names),
    ("if", Shape::Plain),
    ("?:", Shape::Plain),
    ("and", Shape::Plain),
    ("or", Shape::Plain),
    ("!", Shape::Plain),
    ("!!", Shape::Plain),
    ("==", Shape::Comparison),
    ("===", Shape::Comparison),
    ("!=", Shape::Comparison),
    ("!==", Shape::Comparison),
    ("<", Shape::Comparison),
    ("<=", Shape::Comparison),
    (">", Shape::Comparison),
    (">=", Shape::Comparison),
    ("+", Shape::Plain),
    ("-", Shape::Plain),
    ("*", Shape::Plain),
    ("/", Shape::Plain),
    ("%", Shape::Plain),
    ("max", Shape::Plain),
    ("min", Shape::Plain),
    ("cat", Shape::Plain),
    ("substr", Shape::Plain),
    ("in", Shape::Plain),
    ("merge", Shape::Plain),
    ("map", Shape::Iteration),
    ("filter", Shape::Iteration),
    ("reduce", Shape::Iteration),
    ("all", Shape::Iteration),
    ("some", Shape::Iteration),
    ("none", Shape::Iteration),
];

/// The shape of an operator; none if there is no such operator.
pub(crate) fn shape(name: &str) -> Option<Shape> {
    OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

/// All operators, for a message.
pub(crate) fn names() -> String {
    OPERATORS.map(|(name, _)| format!("`{name}`")).join(", ")
}
