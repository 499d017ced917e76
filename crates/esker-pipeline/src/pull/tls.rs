//! Whom to believe over TLS: the machine's certificates, or those of one file.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::open;
use crate::run::failure::Broken;

/// The largest file of certificates.
const CA_MAX: u64 = 4 << 20;

/// What speaks TLS by itself believes.
pub(super) fn certificates(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Broken> {
    let roots = match ca {
        Some(path) => of_file(path)?,
        None => of_machine()?,
    };
    let mut store = RootCertStore::empty();
    for root in roots {
        // What is no certificate at all was not signed with either.
        drop(store.add(CertificateDer::from(root.der().to_vec())));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| {
        Broken::new(
            format!("cannot set up TLS: {error}"),
            "this esker was built without a version of it",
        )
    })?;
    Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()))
}

/// What the HTTP client believes.
pub(super) fn config(ca: Option<&Path>) -> Result<TlsConfig, Broken> {
    let roots = match ca {
        Some(path) => of_file(path)?,
        None => of_machine()?,
    };
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build())
}

fn of_file(path: &Path) -> Result<Vec<Certificate<'static>>, Broken> {
    let cannot = |why: &str| {
        let summary = format!("cannot read the certificates in {}: {why}", path.display());
        Broken::new(summary, "`ca` names a file with PEM certificates")
    };
    let mut bytes = Vec::new();
    let file = open::regular(path).map_err(|error| cannot(&error.to_string()))?;
    file.take(CA_MAX).read_to_end(&mut bytes).map_err(|error| cannot(&error.to_string()))?;
    let mut roots = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(cannot(&error.to_string())),
        }
    }
    if roots.is_empty() {
        return Err(cannot("there are none"));
    }
    Ok(roots)
}

fn of_machine() -> Result<Vec<Certificate<'static>>, Broken> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> =
        found.certs.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    if roots.is_empty() {
        let summary = "this machine trusts no certificates, so https cannot be used";
        return Err(Broken::new(
            summary,
            "install ca-certificates, or name a file: ca = \"FILE.pem\"",
        ));
    }
    Ok(roots)
}
