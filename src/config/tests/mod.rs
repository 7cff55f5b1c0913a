#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod apprise;
mod example;
mod files;
mod kept;
mod mistakes;
mod templates;
mod torn;
mod values;
