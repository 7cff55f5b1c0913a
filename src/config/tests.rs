#![allow(clippy::unwrap_used)]
use crate::config::testing::from_toml;

#[test]
fn the_example_is_read() {
    let config = from_toml(include_str!("../../etc/stentor.example.toml"));
    assert_eq!(config.channels.len(), 10);
}
