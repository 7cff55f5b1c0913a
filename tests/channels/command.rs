use crate::support::{channel, is, out, told};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};

/// A program that is this script; the rest of `words` are its arguments.
fn shell(script: &str, more: &str) -> Arc<dyn Channel> {
    channel("command", &format!("command = ['/bin/sh', '-c', '''{script}''', 'sh', 'one two', '$(id)']\n{more}"))
}

fn delivered(detail: &str) -> AttemptResult {
    AttemptResult::Delivered { provider_id: None, detail: detail.into() }
}

/// Whether a process still runs; a dead one that nobody has waited for does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    !stat.is_empty() && !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

#[tokio::test]
async fn a_program_gets_the_message_and_its_arguments_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("got");
    let script = format!(
        "cat > {0}; printf \"%s|%s|%s|%s\" \"$1\" \"$2\" \"$TOKEN\" \"$PWD\" >> {0}; echo; echo id 17",
        file.display()
    );
    let text = "{\"subject\":\"$(rm -rf x) `id`\\n\"}";
    let result = shell(&script, "env = { TOKEN = \"t0ken\" }").send(&out(None, "", text)).await;
    assert_eq!(result, delivered("id 17"));
    assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{text}one two|$(id)|t0ken|/"));
}

#[tokio::test]
async fn every_exit_code_has_its_class_and_blame() {
    assert_eq!(shell("true", "").send(&out(None, "", "x")).await, delivered("the program ended well"));
    for (code, class, blame) in [
        (65, ValidationError, Message),
        (67, ValidationError, Message),
        (68, ValidationError, Message),
        (69, ProviderError, Channel),
        (75, ProviderError, Channel),
        (77, AuthError, Account),
        (78, ProviderError, Account),
        (1, ProviderError, Channel),
        (255, ProviderError, Channel),
    ] {
        let failure = is(
            shell(&format!("echo no such thing >&2; exit {code}"), "").send(&out(None, "", "x")).await,
            class,
            blame,
            false,
        );
        assert_eq!((failure.code, failure.words.as_str()), (Some(code.to_string()), "no such thing"));
    }
    let killed = is(shell("kill -9 $$", "").send(&out(None, "", "x")).await, ProviderError, Channel, true);
    assert_eq!(killed.words, "it was ended by signal 9");
}

#[tokio::test]
async fn at_its_deadline_the_whole_group_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let failure = is(shell(&script, "timeout = \"500ms\"").send(&out(None, "", "x")).await, Timeout, Channel, true);
    assert_eq!(failure.words, "it did not end in time and was killed");
    let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    for _ in 0..500 {
        if !runs(&pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("its child {pid} still runs");
}

#[tokio::test]
async fn much_output_no_listening_and_a_long_lived_child_do_no_harm() {
    let text = "x".repeat(2_000_000);
    assert_eq!(shell("exec true", "").send(&out(None, "", &text)).await, delivered("the program ended well"));
    let loud = shell("echo first; head -c 3000000 /dev/zero | tr \"\\0\" y", "");
    assert_eq!(loud.send(&out(None, "", &text)).await, delivered("first"));
    // It holds the output open, and is left alone.
    assert!(shell("sleep 3 & echo done", "").send(&out(None, "", "x")).await.success().is_some());
}

#[tokio::test]
async fn a_program_that_is_not_there_waits_for_somebody() {
    let missing = "command = ['/nowhere/tell']";
    assert!(told("command", missing).starts_with("warning 1:11 command: /nowhere/tell: No such file or directory"));
    let (program, _) = stentor::settings::testing::table(missing, stentor::channel::kind("command").unwrap().read);
    let program = program.unwrap();
    is(program.send(&out(None, "", "x")).await, ProviderError, Account, false);
    assert_eq!(program.probe().await.unwrap_err().blame, Account);
    assert!(shell("touch /nowhere/x", "").probe().await.unwrap().starts_with("the program is there"));
}

#[tokio::test]
async fn its_secrets_do_not_come_back() {
    let loud = shell("echo $TOKEN; echo $TOKEN >&2; exit 1", "env = { TOKEN = \"canaryToken17\" }");
    let failure = is(loud.send(&out(None, "", "x")).await, ProviderError, Channel, false);
    assert_eq!(failure.words, "[secret]");
    let described = format!("{loud:?} {}", loud.describe(&out(None, "", "{}")));
    assert!(
        described.contains("TOKEN=[secret]\n\"/bin/sh\" \"-c\"") && !described.contains("canaryToken17"),
        "{described}"
    );
}

#[test]
fn its_settings() {
    assert!(
        told("command", "")
            .contains("error 1:1 command: command is missing (write command = [\"/usr/local/bin/tell\"])")
    );
    assert!(told("command", "command = []").contains("command: command is empty"));
    assert!(told("command", "command = ['tell']").contains("\"tell\" is not an absolute path"));
}
