//! Text for people: lines and tables, coloured only where that was found to be wanted.
//!
//! The one rule: what comes from outside passes [`escape()`] on its way into a [`Piece`], so that no
//! alert can move the cursor, recolour the screen or turn a line around.

mod escape;
mod page;
mod piece;
mod table;
mod when;

pub use escape::escape;
pub use page::Screen;
pub use piece::{Ink, Piece};
pub use table::Table;
pub use when::age;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
