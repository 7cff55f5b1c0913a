//! Templates by name: in the config, and as files in templates/ beside it.

use crate::config::testing::{from_toml, load_text, stand_in_options};
use crate::config::{Loaded, ProcessEnvironment, kept, load};
use crate::domain::delivery::Format;
use crate::domain::level::Level;
use crate::message::sample::Sample;
use crate::message::{Author, Named, render_by};
use std::fs;
use std::path::Path;

const BASE: &str = "[channels.a]\nkind = 'slack'\ntemplate = 'outage'\n[levels.low]\nchannels = ['a']\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("templates")).unwrap();
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn read(dir: &Path) -> Loaded {
    load(&dir.join("stentor.toml"), &ProcessEnvironment, &stand_in_options())
}

fn made(template: &Named, level: Level, format: Format) -> String {
    let chosen = template.find(level, "", format).unwrap();
    render_by(&Author::Named(chosen), format, &Sample::of("incident.opened", level).context()).rendered.text
}

#[test]
fn files_and_tables_make_one_template() {
    let dir = folder(&[
        ("stentor.toml", &format!("{BASE}[templates.outage]\nchat = 'chat {{{{ tag }}}}'\n")),
        ("conf.d/more.toml", "[templates.other]\ntext = '{{ tag }}'\n"),
        ("templates/outage.sms.txt", "sms {{ tag }} ${HOME}\n"),
        ("templates/outage.urgent.sms.txt", "{{ tag }}!\n"),
        ("templates/outage.html.j2", "<b>{{ tag }}</b>"),
        ("templates/.outage.speech.txt", "{{ broken"),
        ("templates/outage.speech.txt~", "{{ broken"),
        ("templates/README", "{{ broken"),
    ]);
    let loaded = read(dir.path());
    let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors));
    let outage = &config.templates["outage"];
    assert_eq!(made(outage, Level::Low, Format::Chat), "chat LOW #417");
    assert_eq!(made(outage, Level::Low, Format::Sms), "sms LOW #417 ${HOME}", "a file has no placeholders");
    assert_eq!(made(outage, Level::Urgent, Format::Sms), "URGENT #417!");
    assert!(config.templates.contains_key("other") && config.templates["html"].is_built_in());
    assert_eq!(config.channels["a"].template.as_deref(), Some("outage"));
    let names: Vec<&str> = config.source.files.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "stentor.toml",
            "conf.d/more.toml",
            "templates/outage.html.j2",
            "templates/outage.sms.txt",
            "templates/outage.urgent.sms.txt"
        ]
    );
    assert!(config.source.masked.contains("sms {{ tag }}"), "{}", config.source.masked);
}

#[test]
fn f57_what_is_wrong_in_a_file_is_told_with_its_line_and_column() {
    let dir = folder(&[
        (
            "stentor.toml",
            &format!("{BASE}[templates.outage]\nsms = 'x'\nchat = '''\n{{{{ tag }}}}\n  {{{{ sbuject }}}}'''\n"),
        ),
        ("templates/outage.speech.txt", "one\ntwo {{ subject|shout }}\n"),
        ("templates/outage.sms.txt", "twice"),
        ("templates/outage.smms.txt", "no key"),
        ("templates/outage.critical.sms.txt", "{{ tag }}"),
    ]);
    fs::write(dir.path().join("templates/outage.mail.txt"), b"{{ subject }}\xff").unwrap();
    let told = |loaded: Loaded| -> Vec<String> {
        assert!(loaded.config.is_none());
        let place = |p: &crate::config::Problem| {
            let file = Path::new(&p.file).file_name().unwrap().to_str().unwrap().to_owned();
            format!("{file}:{}:{} {}", p.line, p.column, p.message)
        };
        loaded.errors.iter().map(place).collect()
    };
    assert_eq!(told(read(dir.path())), ["outage.mail.txt:1:14 this is not UTF-8"]);
    fs::remove_file(dir.path().join("templates/outage.mail.txt")).unwrap();
    let errors = told(read(dir.path()));
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert_eq!(errors[0], "stentor.toml:10:6 templates.outage.chat: there is no variable \"sbuject\"");
    assert_eq!(errors[1], "outage.smms.txt:1:1 outage.smms.txt is no name of a text");
    assert!(
        errors[2].starts_with("outage.sms.txt:1:1 templates.outage.sms is written twice, first in "),
        "{errors:#?}"
    );
    assert!(errors[2].ends_with("stentor.toml, line 7"), "{errors:#?}");
    assert!(errors[3].starts_with("outage.speech.txt:2:16 templates.outage.speech: unknown filter"), "{errors:#?}");
}

#[test]
fn a_changed_file_is_a_changed_config_and_names_its_template() {
    let dir = folder(&[("stentor.toml", BASE), ("templates/outage.sms.txt", "{{ tag }}")]);
    let old = read(dir.path()).config.unwrap();
    fs::write(dir.path().join("templates/outage.sms.txt"), "{{ tag }} {{ subject }}").unwrap();
    let new = read(dir.path()).config.unwrap();
    assert_ne!(old.source.hash, new.source.hash);
    assert_eq!(crate::config::diff(&old, &new), ["templates.outage"]);
}

#[test]
fn the_kept_config_has_its_templates() {
    let dir = folder(&[("stentor.toml", BASE), ("templates/outage.sms.txt", "kept {{ tag }}")]);
    let config = read(dir.path()).config.unwrap();
    let state = tempfile::tempdir().unwrap();
    kept::save(state.path(), &config.source).unwrap();
    let again = kept::load(state.path(), &ProcessEnvironment, &stand_in_options()).unwrap().config.unwrap();
    assert_eq!(made(&again.templates["outage"], Level::Low, Format::Sms), "kept LOW #417");
    assert_eq!(again.source.hash, config.source.hash);
}

#[test]
fn a_level_that_is_left_out_has_the_template_of_the_one_it_is_like() {
    let config = from_toml(&format!("{BASE}template = 'html'\n[templates.outage]\ntext = '{{{{ tag }}}}'"));
    assert_eq!(config.levels[&Level::Urgent].template.as_deref(), Some("html"));
    let of_own =
        from_toml(&format!("{BASE}[templates.outage]\ntext = '{{{{ tag }}}}'\n[templates.html]\nhtml = 'mine'"));
    assert!(!of_own.templates["html"].is_built_in(), "one of the same name takes its place");
}

#[test]
fn f57_any_text_is_judged() {
    for text in [
        "[templates]\na = 1",
        "[[templates]]",
        "templates = 'x'",
        "[templates.a]\nlevels = 3",
        "[templates.a.levels]\nhigh = 1",
    ] {
        assert!(load_text(text, &[], &stand_in_options()).config.is_none(), "{text}");
    }
}

/// The worked example of the docs, word for word.
#[test]
fn the_example_of_the_docs_is_good() {
    let page = include_str!("../../../docs/templates.md");
    let toml = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let loaded = load_text(toml, &[], &stand_in_options());
    let said: Vec<String> = loaded.errors.iter().chain(&loaded.warnings).map(ToString::to_string).collect();
    let about_templates = said.iter().filter(|line| line.contains("template")).collect::<Vec<_>>();
    assert!(loaded.config.is_some() && about_templates.is_empty(), "{said:#?}");
}

#[test]
fn every_key_and_variable_is_in_the_docs() {
    let page = include_str!("../../../docs/templates.md");
    let problem = crate::message::Template::compile(crate::message::Form::Plain, "{{ nothing }}").unwrap_err();
    let names = problem.message.split_once("there are ").unwrap().1;
    let keys = crate::message::KEYS.iter().map(|(key, _)| *key);
    for name in names.split(", ").chain(keys) {
        assert!(page.contains(&format!("`{name}`")), "docs/templates.md does not tell of {name}");
    }
}
