//! Whom to believe over TLS, and who we are there.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use esker_wire::fault::Fault;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// The largest file of certificates.
const PEM_MAX: u64 = 4 << 20;

/// The files of TLS, all PEM.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The certificates to believe instead of the machine's.
    pub ca: Option<PathBuf>,
    /// Our own certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl Tls {
    /// What the variables name that Consul's own program reads: `CONSUL_CACERT`, `CONSUL_CLIENT_CERT`, and
    /// `CONSUL_CLIENT_KEY`.
    pub fn of_environment() -> Self {
        let file = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        Self {
            ca: file("CONSUL_CACERT"),
            certificate: file("CONSUL_CLIENT_CERT"),
            key: file("CONSUL_CLIENT_KEY"),
        }
    }

    /// What the HTTP client believes, and shows.
    pub(super) fn config(&self) -> Result<TlsConfig, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = match &self.ca {
            Some(path) => certificates(path)?,
            None => of_machine()?,
        };
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .client_cert(self.own()?)
            .build())
    }

    fn own(&self) -> Result<Option<ClientCert>, Fault> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let certificates = certificates(certificate)?;
                Ok(Some(ClientCert::new_with_certs(&certificates, private_key(key)?)))
            }
            _ => Err(Fault::bad_request("cannot use half of a client certificate")
                .hint("name both the certificate and its key")),
        }
    }
}

fn cannot(path: &Path, why: &str) -> Fault {
    Fault::bad_request(format!("cannot use {} for TLS: {why}", path.display()))
}

fn items(path: &Path) -> Result<Vec<PemItem<'static>>, Fault> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| cannot(path, &error.to_string()))?;
    let read = file.take(PEM_MAX).read_to_end(&mut bytes);
    read.map_err(|error| cannot(path, &error.to_string()))?;
    let items: Result<Vec<_>, _> = parse_pem(&bytes).collect();
    items.map_err(|_| cannot(path, "it is not PEM"))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Fault> {
    let certificate = |item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    };
    let found: Vec<_> = items(path)?.into_iter().filter_map(certificate).collect();
    if found.is_empty() { Err(cannot(path, "it holds no certificate")) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>, Fault> {
    let key = |item| match item {
        PemItem::PrivateKey(key) => Some(key),
        _ => None,
    };
    items(path)?.into_iter().find_map(key).ok_or_else(|| cannot(path, "it holds no private key"))
}

fn of_machine() -> Result<Vec<Certificate<'static>>, Fault> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> =
        found.certs.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    if roots.is_empty() {
        let fault = Fault::bad_request("cannot use TLS: this machine trusts no certificates");
        return Err(fault.hint("name a file of them: CONSUL_CACERT=FILE.pem"));
    }
    Ok(roots)
}
