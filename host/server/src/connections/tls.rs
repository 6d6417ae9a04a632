//! TLS on the way in: the certificate, and its successors as they come.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use alerts_domain::Timestamp;
use jiff::SignedDuration;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::settings::{SettingError, TlsFiles};

/// How often it is looked whether the files are others. A certificate is renewed weeks
/// before its end.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long before its end a warning is logged: an automatic renewal comes earlier.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often that warning is repeated.
const TELL_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificate that connections are served with. Clones are the same.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<RwLock<Current>>,
}

struct Current {
    config: Arc<ServerConfig>,
    ends_at: Timestamp,
    /// The files as they were when they were read.
    seen: Seen,
}

/// What shows that a file was written or replaced: time and size of both.
type Seen = [Option<(SystemTime, u64)>; 2];

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads both files; what is wrong with them is told by the setting's name.
    pub fn open(files: TlsFiles) -> Result<Self, SettingError> {
        let current = read(&files)?;
        Ok(Self { files, current: Arc::new(RwLock::new(current)) })
    }

    /// For one connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(current.config.clone())
    }

    /// Takes up the files whenever they are written. Those that cannot be served with are
    /// told, and the certificate that was there stays.
    pub(crate) async fn follow(self) {
        let (mut refused, mut told_at) = (None, None);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let seen = seen(&self.files);
            let (known, ends_at) = {
                let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
                (current.seen, current.ends_at)
            };
            if seen != known && refused != Some(seen) {
                refused = self.take_up().err().map(|error| {
                    tracing::error!(%error, "the new certificate is not taken up; the one before serves on");
                    seen
                });
            }
            let now = Timestamp::now();
            // Less than nothing is left of one that has ended.
            let ends_soon = ends_at.duration_since(now) < ENDS_SOON;
            let is_told = told_at
                .is_some_and(|at: Timestamp| now.duration_since(at).unsigned_abs() < TELL_EVERY);
            if ends_soon && !is_told {
                let file = self.files.certificate.display();
                tracing::warn!(%file, %ends_at, "the certificate ends soon; put its successor there");
                told_at = Some(now);
            }
        }
    }

    fn take_up(&self) -> Result<(), SettingError> {
        let read = read(&self.files)?;
        tracing::info!(ends_at = %read.ends_at, "a new certificate is served");
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }
}

fn seen(files: &TlsFiles) -> Seen {
    [&files.certificate, &files.key].map(|file| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(files: &TlsFiles) -> Result<Current, SettingError> {
    // Before they are read: what is written meanwhile is read again.
    let seen = seen(files);
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unread("ALERTS_TLS_CERT", &files.certificate, &error))?;
    let Some(own) = chain.first() else {
        return Err(unread("ALERTS_TLS_CERT", &files.certificate, &pem::Error::NoItemsFound));
    };
    let ends_at = end_of(own, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unread("ALERTS_TLS_KEY", &files.key, &error))?;
    let wrong = |error: rustls::Error| {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        SettingError::new(
            "ALERTS_TLS_KEY",
            format!("{key} does not serve with the certificate {certificate}: {error}"),
            "give the key that the certificate was made for, as PKCS#8, PKCS#1 or SEC1",
        )
    };
    let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Current { config: Arc::new(config), ends_at, seen })
}

fn unread(setting: &'static str, file: &Path, error: &pem::Error) -> SettingError {
    let problem = match error {
        pem::Error::Io(error) => format!("{} cannot be read: {error}", file.display()),
        error => format!("{} holds nothing of that kind in PEM: {error}", file.display()),
    };
    SettingError::new(setting, problem, "name a PEM file that this user may read")
}

/// When a certificate ends; one that has ended is refused, since every client would.
fn end_of(certificate: &CertificateDer<'_>, file: &Path) -> Result<Timestamp, SettingError> {
    let wrong = |problem: String| {
        let advice = "put a certificate there that is valid now";
        SettingError::new("ALERTS_TLS_CERT", format!("{} {problem}", file.display()), advice)
    };
    let (_, read) = X509Certificate::from_der(certificate)
        .map_err(|error| wrong(format!("holds no X.509 certificate: {error}")))?;
    let ends_at = Timestamp::from_second(read.validity().not_after.timestamp())
        .map_err(|error| wrong(format!("ends at no time: {error}")))?;
    if ends_at <= Timestamp::now() {
        return Err(wrong(format!("ended at {ends_at}")));
    }
    Ok(ends_at)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn written(folder: &Path, last_year: i32) -> TlsFiles {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(last_year, 1, 1);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let files = TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") };
        std::fs::write(&files.certificate, cert.pem()).unwrap();
        std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn a_certificate_that_has_ended_is_refused_with_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = Tls::open(written(folder.path(), 2020)).unwrap_err();
        assert_eq!(wrong.setting, "ALERTS_TLS_CERT");
        assert!(wrong.problem.contains("ended at 2020-01-01T00:00:00Z"), "{wrong}");
    }

    #[test]
    fn a_successor_that_cannot_be_served_with_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::open(written(folder.path(), 2990)).unwrap();
        let before = tls.current.read().unwrap().config.clone();
        std::fs::write(&tls.files.key, "half a key").unwrap();
        assert_eq!(tls.take_up().unwrap_err().setting, "ALERTS_TLS_KEY");
        assert!(Arc::ptr_eq(&before, &tls.current.read().unwrap().config));
        written(folder.path(), 2991);
        tls.take_up().unwrap();
        assert!(!Arc::ptr_eq(&before, &tls.current.read().unwrap().config));
    }
}
