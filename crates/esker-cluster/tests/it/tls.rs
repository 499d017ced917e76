//! Consul over TLS, with certificates on both sides.

use std::fs;
use std::path::{Path, PathBuf};

use esker_cluster::cluster::Cluster;
use esker_cluster::consul::tls::Tls;
use esker_cluster::consul::token::Token;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use serde_json::json;

use crate::consul::Running;
use crate::world::{options, until};

struct Files {
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// A CA, and a certificate by it for whatever address of the loopback network is asked.
fn certificates(folder: &Path, address: &str) -> Files {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["server.dc1.consul".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress(address.parse().unwrap()));
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &ca).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    Files {
        ca: write("ca.pem", ca.as_ref().pem()),
        certificate: write("certificate.pem", certificate.pem()),
        key: write("key.pem", key.serialize_pem()),
    }
}

#[test]
fn both_sides_show_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let address = "127.0.0.1";
    let files = certificates(folder.path(), address);
    let free = std::net::TcpListener::bind((address, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let consul = Running::begin(
        1,
        0,
        &json!({
            "ports": { "grpc": -1, "https": port },
            "addresses": { "https": address },
            "ca_file": files.ca,
            "cert_file": files.certificate,
            "key_file": files.key,
            "verify_incoming_https": true,
        }),
    );
    consul.wait(&Token::Anonymous);
    let join = format!("consul+https://{address}:{port}").parse().unwrap();
    let with = |tls: Tls| {
        let mut options = options();
        options.tls = tls;
        Cluster::join(&join, options)
    };
    let whole = Tls {
        ca: Some(files.ca.clone()),
        certificate: Some(files.certificate.clone()),
        key: Some(files.key.clone()),
    };
    let cluster = with(whole.clone()).unwrap();
    until("a write over TLS", || cluster.kv().put("a", b"1").is_ok());
    until("no warnings but of nobody", || cluster.members().is_confirmed());

    let nameless = with(Tls { ca: Some(files.ca.clone()), ..Tls::default() }).unwrap();
    assert!(nameless.kv().get("a").is_err(), "Consul wants a certificate");
    let other = certificates(
        &{
            let other = folder.path().join("other");
            fs::create_dir(&other).unwrap();
            other
        },
        address,
    );
    let deceived = with(Tls { ca: Some(other.ca), ..whole.clone() }).unwrap();
    let fault = deceived.kv().get("a").unwrap_err();
    assert!(fault.message.contains("ertificate"), "{fault}");
    let fault = with(Tls { key: None, ..whole.clone() }).unwrap_err();
    assert!(fault.message.contains("half"), "{fault}");
    let fault = with(Tls { ca: Some(files.key), ..whole }).unwrap_err();
    assert!(fault.message.contains("no certificate"), "{fault}");
}
