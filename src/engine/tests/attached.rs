//! Files that go along with a message: carried by mail, told of by the rest.

use super::world::asks::*;
use super::world::*;
use crate::engine::{Code, SendRequest};
use crate::message::LinkKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn world(mail: &str, http: &str) -> World {
    World::with(&format!(
        "[channels.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\ntls = \"none\"\nfrom = \"a@example.org\"\nto = [\"ops@example.org\"]\n\
         slots = 1\n{mail}\n[channels.hook]\nkind = \"webhook\"\nurl = \"https://a.example\"\n{http}\n[levels.low]\nchannels = [\"mail\", \"hook\"]\n"
    ))
}

fn files(files: &[(&str, &[u8])]) -> impl FnOnce(&mut SendRequest) {
    let file = |(name, bytes): &(&str, &[u8])| json!({ "name": name, "content_base64": STANDARD.encode(bytes) });
    let given: Vec<Value> = files.iter().map(file).collect();
    move |r| {
        r.level = level("low");
        r.attachments = serde_json::from_value(given.into()).unwrap();
    }
}

const PDF: &[u8] = b"%PDF-1.7 not much of one";

#[test]
fn mail_carries_them_and_a_webhook_gets_their_names() {
    let mut w = world("", "");
    let sent = w.send(files(&[("../report.pdf", PDF), ("report.pdf", b"words"), ("c", &[0, 159, 146])]));
    let shown: Vec<(&str, &str)> = sent["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["name"].as_str().unwrap(), a["type"].as_str().unwrap()))
        .collect();
    let named = [("report.pdf", "application/pdf"), ("report-2.pdf", "text/plain"), ("c", "application/octet-stream")];
    assert_eq!(shown, named);
    let (hook, mail) = (w.enclosed[0].clone(), w.enclosed[1].clone());
    assert_eq!(mail.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["report.pdf", "report-2.pdf", "c"]);
    assert_eq!(mail[0].bytes.as_deref(), Some(PDF), "what was just given is at hand");
    assert!(hook.is_empty());
    let told: Value = serde_json::from_str(&w.texts[0]).unwrap();
    assert_eq!(told["attachments"][0], json!({ "name": "report.pdf", "type": "application/pdf", "bytes": PDF.len() }));
    assert_eq!(w.blobs.len(), 3);
    let delivery = w.read(crate::engine::Read::Delivery(sent["deliveries"][0]["id"].as_str().unwrap().into()));
    assert_eq!(delivery["attachments"][1]["bytes"], 5);
    w.untold();
}

#[test]
fn after_a_restart_the_dispatcher_reads_them_from_their_place() {
    let mut w = world("", "");
    w.channel_first("mail", [Says::Hangs]);
    w.send(files(&[("a.pdf", PDF)]));
    w.down_for("1s");
    w.run_for("5m");
    let again = w.enclosed.last().unwrap();
    assert_eq!((again.len(), again[0].bytes.is_none()), (1, true));
    assert_eq!(again[0].place.blob.as_deref(), Some(w.blobs[0].hash.as_str()));
    assert_eq!(again[0].place.seq, w.blobs[0].seq);
    w.untold();
}

#[test]
fn with_a_public_url_the_others_get_links() {
    let mut w = world("", "[http]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://alarm.example.org\"");
    w.engine.set_link_key(Some(LinkKey::new(&[7; 32])));
    w.send(files(&[("a b.pdf", PDF)]));
    let told: Value = serde_json::from_str(&w.texts[0]).unwrap();
    let link = told["attachments"][0]["url"].as_str().unwrap();
    let start =
        format!("https://alarm.example.org/attachments/{}-{:.16}/a%20b.pdf?e=", w.blobs[0].seq, w.blobs[0].hash);
    assert!(link.starts_with(&start), "{link}");
    w.untold();
}

#[test]
fn what_is_too_much_for_a_channel_stays_out_of_it_and_the_mail_says_so() {
    let mut w = world("attachments_mib = 1", "");
    w.send(files(&[("big.bin", &vec![0; (1 << 20) + 1])]));
    assert!(w.enclosed[1].is_empty());
    assert!(
        w.texts[1].contains(
            "Not attached, because this channel takes 1 MiB:\n1 attachment, see mail / ledger: big.bin (1.0 MB)"
        ),
        "{}",
        w.texts[1]
    );
    w.untold();
}

#[test]
fn what_opens_an_incident_brings_them_to_all_who_are_called() {
    let mut w = World::with(&format!(
        "{}\n[channels.post]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\ntls = \"none\"\nfrom = \"a@example.org\"\nto = [\"ops@example.org\"]\n\
         [channels.board]\nkind = \"webhook\"\nurl = \"https://a.example\"\n\
         [policies.up]\nrepeat = 1\nevery = \"30m\"\nsteps = [{{ after = \"0s\", channels = [\"post\", \"board\"] }}, \
         {{ after = \"5m\", channels = [\"call\"], to = [\"alice\"] }}]\n",
        calm()
    ));
    let given = json!([{ "name": "graph.png", "content_base64": STANDARD.encode(PDF) }]);
    let open = |r: &mut crate::engine::OpenRequest| {
        r.level = level("high");
        (r.policy, r.fingerprint) = (Some("up".into()), Some("disk".into()));
        r.attachments = serde_json::from_value(given.clone()).unwrap();
    };
    let number = w.open_with(open);
    assert_eq!(w.enclosed[1][0].name, "graph.png", "{:?}", w.texts);
    w.open_with(open);
    assert_eq!(w.blobs.len(), 1, "what is counted brings nothing");
    w.all_until("6m");
    let call = w.texts.iter().find(|text| text.starts_with("High alarm")).unwrap();
    assert!(call.contains("One file is attached to the mail."), "{call}");
    w.all_until("31m");
    let again = w.enclosed.iter().filter(|files| !files.is_empty());
    assert_eq!(again.map(|files| files[0].place.seq).collect::<Vec<_>>(), [w.blobs[0].seq; 2], "each round");
    let told = w.enclosed.len();
    w.ack(number, "bob");
    w.all_until("32m");
    assert!(w.enclosed.len() > told && w.enclosed[told..].iter().all(Vec::is_empty), "notices have none");
    let shown = w.read(crate::engine::Read::Incident(number.to_string()));
    assert_eq!(shown["attachments"][0]["name"], "graph.png");
    let mut story = crate::engine::Story::of(&shown);
    let lines: Vec<String> =
        w.events().filter_map(|head| story.explain(head)).map(|(what, why)| format!("{what} ({why})")).collect();
    for line in [
        "#1 opened at level high, with graph.png (24 B) (",
        "post: attempt 1 by post (a slot was free; it carries the files)",
        "board: attempt 1 by board (a slot was free; this channel carries no files; its text says that they exist)",
        "call for alice: attempt 1 by call (a slot was free; this channel carries no files; its text says that they exist)",
    ] {
        assert!(lines.iter().any(|l| l.starts_with(line)), "{line:?} is not in {lines:#?}");
    }
    w.untold();
}

#[test]
fn too_many_or_too_large_ones_are_refused_and_nothing_is_kept() {
    let mut w = world("", "");
    let refused = w.try_send(files(&[("a", &vec![0; (10 << 20) + 1])])).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::TooLarge, Some("attachments[0]")));
    let large = vec![1; 7 << 20];
    let refused = w.try_send(files(&[("a", &large), ("b", &large), ("c", &large)])).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::TooLarge, Some("attachments")));
    let many: Vec<(&str, &[u8])> = vec![("a", b"x"); 21];
    assert_eq!(w.try_send(files(&many)).unwrap_err().field.as_deref(), Some("attachments"));
    assert!(w.blobs.is_empty());
    let bad = json!({ "subject": "x", "attachments": [{ "name": "a", "content_base64": "%%%" }] });
    assert!(serde_json::from_value::<SendRequest>(bad).unwrap_err().to_string().contains("not base64"));
    w.untold();
}
