//! The wrong fields of a request, as many as a caller can use: whoever sends a
//! million wrong fields is told of the first ones, and how many more there are.

use alerts_domain::problem::FieldError;
use alerts_domain::text;

/// Errors that are told one by one: a person mends these before looking again.
const MAX_TOLD: usize = 50;
/// Longest pointer and longest detail that are told, in bytes. A field's name may be
/// as long as the request.
const MAX_POINTER_BYTES: usize = 512;
const MAX_DETAIL_BYTES: usize = 2048;

/// Wrong fields, the first of them told and the rest counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldErrors {
    told: Vec<FieldError>,
    more: usize,
}

impl FieldErrors {
    /// Adds one.
    pub(crate) fn push(&mut self, mut error: FieldError) {
        if self.told.len() == MAX_TOLD {
            self.more += 1;
            return;
        }
        cut(&mut error.pointer, MAX_POINTER_BYTES);
        cut(&mut error.detail, MAX_DETAIL_BYTES);
        self.told.push(error);
    }

    /// Those that are told one by one.
    pub(crate) fn told(&self) -> &[FieldError] {
        &self.told
    }

    /// How many there are besides.
    pub(crate) fn more(&self) -> usize {
        self.more
    }

    /// All of them.
    pub(crate) fn count(&self) -> usize {
        self.told.len() + self.more
    }

    /// The same, seen from a document in which their place is `prefix`.
    pub(super) fn under(self, prefix: &str) -> Self {
        let told = self.told.into_iter().map(|error| error.under(prefix)).collect();
        Self { told, ..self }
    }
}

impl Extend<FieldError> for FieldErrors {
    fn extend<T: IntoIterator<Item = FieldError>>(&mut self, errors: T) {
        errors.into_iter().for_each(|error| self.push(error));
    }
}

impl FromIterator<FieldError> for FieldErrors {
    fn from_iter<T: IntoIterator<Item = FieldError>>(errors: T) -> Self {
        let mut all = Self::default();
        all.extend(errors);
        all
    }
}

impl From<Vec<FieldError>> for FieldErrors {
    fn from(errors: Vec<FieldError>) -> Self {
        errors.into_iter().collect()
    }
}

fn cut(told: &mut String, max_bytes: usize) {
    if told.len() > max_bytes {
        told.truncate(text::bounded(told, max_bytes).len());
        told.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_told_of_the_first_errors_and_how_many_more_there_are() {
        let errors = (0..1000).map(|index| FieldError::new(format!("/{index}"), "is wrong"));
        let errors: FieldErrors = errors.collect();
        assert_eq!(errors.told().len(), MAX_TOLD);
        assert_eq!((errors.count(), errors.more()), (1000, 1000 - MAX_TOLD));
        assert_eq!(errors.under("/7").told()[49].pointer, "/7/49");
    }

    #[test]
    fn the_name_of_a_field_is_cut_however_long_it_is() {
        let long = FieldError::new("é".repeat(100_000), "x".repeat(100_000));
        let errors = FieldErrors::from(vec![long]);
        assert!(errors.told()[0].pointer.len() < MAX_POINTER_BYTES + 4);
        assert!(errors.told()[0].detail.ends_with("x…"));
    }
}
