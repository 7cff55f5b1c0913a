//! An answer that is read while it comes.

use crate::ctl::client::place::Place;
use crate::ctl::trouble::Trouble;
use crate::net::Line;
use hyper::body::Incoming;

/// An answer, bit by bit.
pub struct Bytes<'a> {
    pub(super) line: Line,
    pub(super) body: Incoming,
    pub(super) place: &'a Place,
}

impl Bytes<'_> {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        while let Some(part) = self.line.part(&mut self.body).await {
            let part = part.map_err(|error| self.place.broke_off(&error))?;
            // Trailers are nothing of ours.
            if let Ok(bytes) = part.into_data() {
                return Ok(Some(bytes.to_vec()));
            }
        }
        Ok(None)
    }
}
