//! Defaults, what is switched off, and what a config is hashed from.

use crate::channel::Format;
use crate::channel::{Channel, Kind};
use crate::config::testing::{FixedAccounts, Nobody, StandIn, from_toml, load_text, stand_in_options};
use crate::config::{Config, LoadOptions, diff};
use crate::domain::delivery::Sort;
use crate::domain::level::Level;
use crate::domain::who::Who;
use crate::settings::Table;
use std::sync::Arc;

fn config(text: &str, values: &[(&str, &str)], options: &LoadOptions<'_>) -> Config {
    let loaded = load_text(text, values, options);
    assert_eq!(loaded.errors, []);
    loaded.config.unwrap()
}

#[test]
fn an_empty_config_has_the_defaults() {
    let config = config("", &[("STATE_DIRECTORY", "/srv/a:/srv/b")], &stand_in_options());
    assert_eq!(config.daemon.state_dir.to_str(), Some("/srv/a"));
    assert_eq!(config.daemon.socket.to_str(), Some("/run/stentor/control.sock"));
    assert!(!config.daemon.name.is_empty());
    assert!(config.http.is_none() && config.deadman.is_none() && config.channels.is_empty());
    assert_eq!(config.levels.len(), 4);
    let names: Vec<&str> = config.watches.keys().map(String::as_str).collect();
    assert_eq!(names, ["high-failure-rate", "low-processing-rate", "queue-overflow"]);
    let config = super::values::config("", &[], &stand_in_options());
    assert_eq!(config.daemon.state_dir.to_str(), Some("/var/lib/stentor"));
}

#[test]
fn what_is_not_enabled_is_not_there() {
    let config = from_toml(
        "[watches.queue-overflow]\nenabled = false\n[heartbeats.job]\nkind = 'passive'\nevery = '1d'\nenabled = false\n",
    );
    assert!(!config.watches.contains_key("queue-overflow"));
    assert!(config.watches.contains_key("high-failure-rate"));
    assert!(config.heartbeats.is_empty());
}

#[test]
fn policy_none_is_said_and_an_absent_one_is_not() {
    let config = from_toml(
        "[heartbeats.a]\nkind = 'passive'\nevery = '1d'\npolicy = 'none'\n[heartbeats.b]\nkind = 'passive'\nevery = '1d'\n\
         [levels.low]\nchannels = []\npolicy = 'none'\n",
    );
    assert_eq!(config.heartbeats["a"].incident.policy, Some(None));
    assert_eq!(config.heartbeats["b"].incident.policy, None);
    assert_eq!(config.levels[&crate::domain::level::Level::Low].policy, None);
}

#[test]
fn an_empty_list_of_channels_is_said_too() {
    let config = from_toml("[heartbeats.a]\nkind = 'passive'\nevery = '1d'\nchannels = []\n");
    assert_eq!(config.heartbeats["a"].incident.channels.as_deref(), Some(&[] as &[String]));
}

#[test]
fn numbers_may_come_from_outside() {
    let text = "[channels.mail]\nkind = 'smtp'\nto = ['a@b.example']\nslots = '${SLOTS}'\nsimulate = '${SIM:-false}'\n";
    assert_eq!(config(text, &[("SLOTS", "7")], &stand_in_options()).channels["mail"].slots, 7);
}

#[test]
fn a_program_is_told_more_at_once_than_a_provider() {
    let url = "https://example.org/hook";
    let text = format!(
        "[channels.hook]\nkind = 'webhook'\nurl = '{url}'\n[channels.few]\nkind = 'webhook'\nurl = '{url}'\nslots = 3\n\
         [channels.chat]\nkind = 'slack'\nwebhook_url = '{url}'\n"
    );
    let config = config(&text, &[], &LoadOptions { accounts: &Nobody, ..LoadOptions::default() });
    assert_eq!(["hook", "few", "chat"].map(|name| config.channels[name].slots), [64, 3, 4]);
}

#[test]
fn access_is_expanded_to_uids_and_logins_to_people() {
    let accounts = FixedAccounts {
        users: [("ann".to_owned(), 1000), ("bob".to_owned(), 1001)].into(),
        groups: [("ops".to_owned(), [1001, 1002].into())].into(),
    };
    let text = "[access]\nadmin = ['ann']\noperator = ['@ops', 'ann']\n[people.robert]\nlogin = 'bob'\n";
    let options = LoadOptions { accounts: &accounts, ..stand_in_options() };
    let loaded = load_text(text, &[], &options);
    let access = &loaded.config.as_ref().unwrap().access;
    assert_eq!(access.admin, [1000].into());
    assert_eq!(access.operator, [1000, 1001, 1002].into());
    assert!(access.viewer.is_empty());
    assert_eq!(access.logins, [(1001, "robert".to_owned())].into());

    let mut grown = accounts.clone();
    grown.groups.get_mut("ops").unwrap().insert(1003);
    let after = load_text(text, &[], &LoadOptions { accounts: &grown, ..options }).config.unwrap();
    assert_eq!(diff(loaded.config.as_ref().unwrap(), &after), ["access"]);
    assert_ne!(loaded.source.values_hash, after.source.values_hash);
}

#[test]
fn the_hash_is_of_the_files_and_the_values_hash_of_what_they_say() {
    let options = stand_in_options();
    let text = "[daemon]\nname = '${NAME}'\n[people.bob]\nphone = '+15550100'\n";
    let one = config(text, &[("NAME", "one")], &options);
    let same = config(text, &[("NAME", "one")], &options);
    let two = config(text, &[("NAME", "two")], &options);
    let commented = config(&format!("# a comment\n{text}"), &[("NAME", "one")], &options);
    assert_eq!((&one.source.hash, &one.source.values_hash), (&same.source.hash, &same.source.values_hash));
    assert_eq!(one.source.hash.len(), 64);
    assert_eq!(one.source.hash, two.source.hash);
    assert_ne!(one.source.values_hash, two.source.values_hash);
    assert_ne!(one.source.hash, commented.source.hash);
    assert_eq!(one.source.values_hash, commented.source.values_hash);
    assert_eq!(diff(&one, &two), ["daemon"]);
    assert!(diff(&one, &commented).is_empty());
}

#[test]
fn what_changed_is_told_by_name() {
    let options = stand_in_options();
    let old =
        "[channels.sms]\nkind = 'twilio-sms'\nto = ['+15550100']\n[people.bob]\n[people.ann]\n[daemon]\nname = 'x'\n";
    let new =
        "[channels.sms]\nkind = 'twilio-sms'\nto = ['+15550101']\n[people.eve]\n[people.ann]\n[daemon]\nname = 'x'\n";
    let (old, new) = (config(old, &[], &options), config(new, &[], &options));
    assert_eq!(diff(&old, &new), ["channels.sms", "people.bob", "people.eve"]);
}

/// A kind with a secret, to see where it goes.
const KEYED: &Kind = &Kind { name: "keyed", sort: Sort::Fixed, provider: "p", format: Format::Chat, read: read_keyed };

fn read_keyed(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let key = table.require_secret("key", "${KEY}");
    let host = table.text("host");
    let (_, _) = (key?, host);
    Some(Arc::new(StandIn::default()))
}

#[test]
fn no_secret_is_in_what_the_ledger_gets_or_in_what_is_printed() {
    let text = "# key = 'commented-hunter2'\n[channels.a]\nkind = 'keyed'\nkey = 'literal-hunter2'\n\
                [channels.b]\nkind = 'keyed'\nkey = '${KEY}'\nhost = '${HOST}'\n[deadman]\nurl = 'https://x.example/hunter2'\n";
    let kinds = [KEYED];
    let options = LoadOptions { kinds: &kinds, ..stand_in_options() };
    let config = config(text, &[("KEY", "outside-hunter2"), ("HOST", "h-hunter2")], &options);
    let masked = &config.source.masked;
    assert!(!masked.contains("hunter2"), "{masked}");
    assert!(masked.contains("key = \"[secret]\"") && masked.contains("key = \"${KEY}\""), "{masked}");
    assert!(masked.contains("host = \"${HOST}\""), "{masked}");
    let printed = format!("{:?} {:?}", config.channels, config.deadman);
    assert!(!printed.contains("hunter2"));
}

#[test]
fn a_simulated_channel_and_a_check_without_secrets_need_none() {
    let kinds = [KEYED];
    let options = LoadOptions { kinds: &kinds, ..stand_in_options() };
    let text = "[channels.a]\nkind = 'keyed'\nkey = '${KEY}'\n";
    assert_eq!(load_text(text, &[], &options).errors.len(), 1);
    assert!(load_text(&format!("{text}simulate = true\n"), &[], &options).config.is_some());
    assert!(load_text("[channels.a]\nkind = 'keyed'\nsimulate = true\n", &[], &options).config.is_some());
    assert!(load_text(text, &[], &LoadOptions { without_secrets: true, ..options }).config.is_some());
}

#[test]
fn without_secrets_an_unset_address_counts_as_present() {
    let text = "[people.bob]\nphone = '${BOB}'\n[channels.sms]\nkind = 'twilio-sms'\nto = ['bob']\n\
                [channels.mail]\nkind = 'smtp'\nto = ['${OPS}']\n[levels.low]\nchannels = ['mail', 'sms']\n";
    let options = LoadOptions { without_secrets: true, ..stand_in_options() };
    assert_eq!(load_text(text, &[], &options).errors, []);
}

#[test]
fn a_gateway_over_a_mail_channel_that_sends_nothing_sends_nothing() {
    let text = |simulate: bool| {
        format!(
            "[channels.mail]\nkind = \"smtp\"\nsimulate = {simulate}\nto = [\"a@b.example\"]\n\
             [channels.gate]\nkind = \"email-sms\"\nvia = \"mail\"\ndomain = \"sms.example.org\"\nto = [\"+15550100\"]\n\
             [levels.low]\nchannels = [\"gate\", \"mail\"]\n"
        )
    };
    for simulate in [true, false] {
        let config = crate::config::testing::from_toml(&text(simulate));
        assert_eq!(config.channels["gate"].simulate, simulate);
    }
}

#[test]
fn national_numbers_are_those_of_the_region() {
    let text = "[daemon]\nregion = 'CZ'\n[channels.sms]\nkind = 'twilio-sms'\nto = ['601 123 456', '+1 555 010 0', '601123457', 'alice']\n\
                [people.alice]\nphone = '602 123 456'\n[people.601123457]\n\
                [levels.low]\nchannels = ['sms']\nto = ['(601) 123-458']\n\
                [policies.up]\nsteps = [{ after = '0s', channels = ['sms'], to = ['601123459'] }]\n\
                [heartbeats.a]\nkind = 'passive'\nevery = '1d'\nto = ['00420 601 123 460']\n";
    let config = config(text, &[], &stand_in_options());
    let shown = |to: Option<&Vec<Who>>| to.unwrap().iter().map(Who::to_string).collect::<Vec<_>>();
    assert_eq!(shown(Some(&config.channels["sms"].to)), ["+420601123456", "+15550100", "601123457", "alice"]);
    assert_eq!(shown(config.levels[&Level::Low].to.as_ref()), ["+420601123458"]);
    assert_eq!(shown(config.policies["up"].steps[0].to.as_ref()), ["+420601123459"]);
    assert_eq!(shown(config.heartbeats["a"].incident.to.as_ref()), ["+420601123460"]);
    assert_eq!(config.people["alice"].phone.as_deref(), Some("+420602123456"));
}

#[test]
fn a_national_number_that_cannot_be_read_is_an_error_at_its_place() {
    let rest = "[channels.sms]\nkind = 'twilio-sms'\nto = ['+15550100', '12 34 56']\n";
    for (region, message) in
        [("region = 'CZ'", "is no number of [daemon] region"), ("name = 'x'", "is a number without its country")]
    {
        let loaded = load_text(&format!("[daemon]\n{region}\n{rest}"), &[], &stand_in_options());
        let [error] = &loaded.errors[..] else { panic!("{:?}", loaded.errors) };
        assert_eq!((error.line, error.column), (5, 20), "{error:?}");
        assert!(error.message.contains(message) && error.message.contains("\"12 34 56\""), "{error:?}");
        assert!(error.hint.contains("+15550100"), "{error:?}");
    }
}
