//! The ledger.

pub mod codec;
pub mod extract;
pub mod fault;
pub mod files;
pub mod history;
pub mod journal;
pub mod lock;
pub mod report;
pub mod snapshot;
#[cfg(test)]
mod testing;
