//! An answer that is read while it comes.

use crate::ctl::client::place::Place;
use crate::ctl::trouble::Trouble;
use reqwest::Response;

/// An answer, bit by bit.
pub struct Bytes<'a> {
    pub(super) response: Response,
    pub(super) place: &'a Place,
}

impl Bytes<'_> {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let chunk = self.response.chunk().await.map_err(|e| self.place.explain(&e))?;
        Ok(chunk.map(|c| c.to_vec()))
    }
}
