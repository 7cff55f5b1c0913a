//! A private CA and what it signed: a certificate for this machine, and the wrong ones.

use super::script::Fault;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

pub struct Certificates {
    dir: tempfile::TempDir,
    ca_file: PathBuf,
    strange_ca_file: PathBuf,
    right: TlsAcceptor,
    wrong_host: TlsAcceptor,
    expired: TlsAcceptor,
    self_signed: TlsAcceptor,
    ends_soon: TlsAcceptor,
}

impl Certificates {
    pub fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca = authority("stand-ins");
        let (ca_file, strange_ca_file) = (dir.path().join("ca.pem"), dir.path().join("strange-ca.pem"));
        std::fs::write(&ca_file, ca.pem()).unwrap();
        std::fs::write(&strange_ca_file, authority("strangers").pem()).unwrap();
        let here = &["localhost", "127.0.0.1"];
        let (long, gone) = (jiff::civil::date(2049, 6, 1), jiff::civil::date(2020, 6, 1));
        let now = jiff::Timestamp::from_microsecond(stentor::domain::clock::wall().0).unwrap();
        // Nine days and a part of one.
        let soon = now.to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::ToSpan::days(10);
        let right = acceptor(here, long, Some(&ca));
        let wrong_host = acceptor(&["elsewhere.example"], long, Some(&ca));
        let expired = acceptor(here, gone, Some(&ca));
        let self_signed = acceptor(here, long, None);
        let ends_soon = acceptor(here, soon, Some(&ca));
        Certificates { dir, ca_file, strange_ca_file, right, wrong_host, expired, self_signed, ends_soon }
    }

    /// As the fault says; the right one without such a fault.
    pub fn acceptor(&self, fault: &Fault) -> TlsAcceptor {
        let acceptor = match fault {
            Fault::WrongHost => &self.wrong_host,
            Fault::Expired => &self.expired,
            Fault::SelfSigned => &self.self_signed,
            Fault::EndsSoon => &self.ends_soon,
            _ => &self.right,
        };
        acceptor.clone()
    }

    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    pub fn strange_ca_file(&self) -> &Path {
        &self.strange_ca_file
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("dir", &self.dir.path()).finish_non_exhaustive()
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Signed by the authority, or by itself; valid until then.
fn acceptor(names: &[&str], until: jiff::civil::Date, ca: Option<&CertifiedIssuer<'static, KeyPair>>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after =
        rcgen::date_time_ymd(until.year().into(), until.month().unsigned_abs(), until.day().unsigned_abs());
    let leaf = ca.map_or_else(|| params.self_signed(&key), |ca| params.signed_by(&key, ca)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
