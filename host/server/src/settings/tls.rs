//! The certificate that the host itself serves with.

use std::path::PathBuf;

use super::error::SettingError;
use super::{ServeArgs, given};

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the host's own certificate first, then those that lead to an authority.
    pub certificate: PathBuf,
    /// PEM: the certificate's private key.
    pub key: PathBuf,
}

/// None when no TLS is wanted; half of it is a mistake.
pub(super) fn read(args: &ServeArgs) -> Result<Option<TlsFiles>, SettingError> {
    let missing = |name, other| {
        let problem = format!("is not set, and {other} is");
        SettingError::new(name, problem, "set both, or neither")
    };
    match (given(&args.tls_cert), given(&args.tls_key)) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(TlsFiles { certificate: certificate.into(), key: key.into() }))
        }
        (None, Some(_)) => Err(missing("ALERTS_TLS_CERT", "ALERTS_TLS_KEY")),
        (Some(_), None) => Err(missing("ALERTS_TLS_KEY", "ALERTS_TLS_CERT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_and_its_key_are_given_together() {
        let read = |cert: &str, key: &str| {
            let set = |text: &str| Some(text.to_owned());
            super::read(&ServeArgs {
                tls_cert: set(cert),
                tls_key: set(key),
                ..ServeArgs::default()
            })
        };
        assert_eq!(read("", "").unwrap(), None);
        assert_eq!(read("a.pem", "b.pem").unwrap().unwrap().key, PathBuf::from("b.pem"));
        assert_eq!(read("a.pem", "").unwrap_err().setting, "ALERTS_TLS_KEY");
        assert_eq!(read("", "b.pem").unwrap_err().setting, "ALERTS_TLS_CERT");
    }
}
