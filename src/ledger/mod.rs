//! The ledger.

pub mod codec;
