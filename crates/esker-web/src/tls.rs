//! Speaks TLS with certificates from files, which are read again when they have been renewed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use crate::access::Files;
use crate::server::Error;

/// How often to look whether the files have been renewed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When both files were written; none that is not there.
type Stamp = [Option<SystemTime>; 2];

/// Accepts TLS.
pub(crate) struct Tls {
    files: Files,
    known: Mutex<Known>,
}

/// What was read last.
struct Known {
    acceptor: TlsAcceptor,
    stamp: Stamp,
    looked: Instant,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Error::Tls`] names the one that cannot be used.
    pub(crate) fn new(files: Files) -> Result<Self, Error> {
        let stamp = stamp(&files);
        let known = Known { acceptor: read(&files)?, stamp, looked: Instant::now() };
        Ok(Self { files, known: Mutex::new(known) })
    }

    /// What accepts a connection: by the newest certificates that can be used.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() >= LOOK_EVERY {
            known.looked = Instant::now();
            let stamp = stamp(&self.files);
            if stamp != known.stamp {
                known.stamp = stamp;
                match read(&self.files) {
                    Ok(acceptor) => {
                        known.acceptor = acceptor;
                        tracing::info!("the certificate was renewed");
                    }
                    // Whoever renews it writes one file after the other.
                    Err(error) => tracing::warn!(%error, "the certificate before is used"),
                }
            }
        }
        known.acceptor.clone()
    }
}

fn stamp(files: &Files) -> Stamp {
    let written = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    [written(&files.cert), written(&files.key)]
}

fn read(files: &Files) -> Result<TlsAcceptor, Error> {
    let wrong = |file: &Path, why: String| Error::Tls { file: file.to_owned(), why };
    let certificates = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.cert, error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong(&files.cert, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| wrong(&files.cert, error.to_string()))?;
    let config = config.with_no_client_auth().with_single_cert(certificates, key);
    let mut config = config.map_err(|error| wrong(&files.key, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
