//! Which certificates are trusted: the system's, and those of a `ca_file`.

use crate::domain::failure::{Blame, Failure, FailureClass};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Makes ring the process's TLS provider; may be called any number of times.
pub fn install_provider() {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Certificates are always verified; there is no switch against it. Reads files, so call it where
/// blocking is allowed.
///
/// # Errors
/// A `ca_file` that cannot be read, in words that name the file.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        for certificate in read_certificates(path).map_err(not_usable)? {
            let refused = |e| not_usable(format!("{}: a certificate in it is refused: {e}", path.display()));
            roots.add(certificate).map_err(refused)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| not_usable(format!("TLS cannot be set up: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// The certificates of a PEM file.
///
/// # Errors
/// A sentence: the file cannot be read, or holds no certificate.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| format!("the ca_file {name} cannot be read: {e}"))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("the ca_file {name} is not PEM: {e}"))?;
    if certificates.is_empty() {
        return Err(format!("the ca_file {name} holds no certificate (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(certificates)
}

/// Nothing was sent; the channel as a whole cannot work until the file is right.
fn not_usable(words: String) -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Channel, words)
}
