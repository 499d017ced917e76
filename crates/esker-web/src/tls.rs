//! Speaks TLS: certificates from files, and a bound on how long it may take to agree on anything.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use crate::access::Files;
use crate::server::Error;

/// What accepts TLS with these certificates.
///
/// # Errors
/// [`Error::Tls`] names the file.
pub(crate) fn acceptor(files: &Files) -> Result<TlsAcceptor, Error> {
    let wrong = |file: &std::path::Path, why: String| Error::Tls { file: file.to_owned(), why };
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
