//! What a condition language says about a source that it refuses.

/// Why a condition's source does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// For the person who wrote it.
    pub message: String,
    /// Where it starts: byte offset into the source.
    pub offset: u32,
    /// How many bytes it spans; zero when it is a point.
    pub length: u32,
}
