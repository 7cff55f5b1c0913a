//! The words, checked one by one; every event and its corpus in `events`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clocks;
mod cron;
mod events;
mod examples;
mod ids;
mod matchers;
mod money;
mod phones;
mod words;
