//! stentor.toml with everything that stands in it: settings, placeholders, schedules, templates.

use crate::harness::fuzz;
use std::collections::BTreeMap;
use std::path::Path;
use stentor::config::{LoadOptions, load_from_files};
use stentor::settings::testing;

#[test]
fn whole_files() {
    let seeds: [&[u8]; 3] = [
        include_bytes!("../../etc/stentor.example.toml"),
        include_bytes!("../../etc/demo.toml"),
        b"[channels.a]\nkind = \"webhook\"\nurl = \"https://x.example/\"\n[levels.low]\nchannels = [\"a\"]\n",
    ];
    let environment = BTreeMap::<String, String>::new();
    let options = LoadOptions { without_secrets: true, ..LoadOptions::default() };
    fuzz("config", &seeds, |bytes| {
        let loaded =
            load_from_files(Path::new("x.toml"), vec![("x.toml".into(), bytes.to_vec())], &environment, &options);
        assert!(loaded.config.is_some() || !loaded.errors.is_empty(), "refused without a word");
        let lines = bytes.split(|byte| *byte == b'\n').count();
        for error in &loaded.errors {
            assert!(!error.message.is_empty() && error.line <= lines + 1, "{error:?}");
        }
    });
}

#[test]
fn placeholders() {
    let seeds: [&[u8]; 5] = [b"${A}", b"x ${A} y ${file:B} z", b"$${A}", b"${A:-default}", b"${file:/etc/x}"];
    fuzz("placeholder", &seeds, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let toml = format!("key = {}", serde_json::Value::from(text));
        let values = [("A", "canaryOfA17"), ("file:B", "canaryOfB17")];
        let (_, problems) = testing::table_with(&toml, &values, |table| table.secret("key"));
        assert!(!testing::told(&problems).contains("canary"), "a value is in an error");
    });
}
