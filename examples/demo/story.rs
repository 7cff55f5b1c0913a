//! The story, scene by scene. Each scene waits for what has to happen and says that it did.

use crate::ear::Sound;
use crate::stage::Stage;
use crate::standins::record::Recorded;
use crate::teller::Teller;
use serde_json::Value;

type Played = Result<(), String>;

pub async fn play(stage: &mut Stage, teller: &Teller) -> Played {
    all_is_well(stage, teller).await?;
    credentials_are_revoked(stage, teller).await?;
    it_gets_louder(stage, teller).await?;
    somebody_acknowledges(stage, teller).await?;
    it_recovers(stage, teller).await?;
    a_deal_runs_low(stage, teller).await?;
    the_record(stage, teller).await
}

async fn all_is_well(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("all is well");
    teller.says("stentord is up, with etc/demo.toml and stand-ins for Twilio, Slack and a mail server");
    teller.says(stage.ear.describe());
    stage
        .until("all heartbeats are green", async || {
            let listed = stage.json(&["heartbeats", "list"]).await;
            let rows = listed["heartbeats"].as_array()?;
            let green = |name: &str| rows.iter().any(|h| h["name"] == name && h["status"] == "ok");
            ["twilio", "smtp", "slack", "calls"].into_iter().all(green).then_some(())
        })
        .await?;
    teller.says("every heartbeat is green: credentials and connections are well, and nothing was sent");
    show(stage, teller, &["heartbeats", "list"], 0).await
}

async fn credentials_are_revoked(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("somebody revokes the key of the SMS account at Twilio");
    stage.standins.revoke_twilio(true);
    teller.says("from now on Twilio answers 401");
    let incident = stage
        .until("two failed heartbeats in a row open an incident", async || {
            let listed = stage.json(&["incidents", "list"]).await;
            listed["incidents"].as_array()?.iter().find(|i| i["labels"]["name"] == "twilio").cloned()
        })
        .await?;
    teller.says(&format!(
        "two failures in a row: incident #{} at level {}",
        incident["number"],
        text(&incident["level"])
    ));
    siren(stage, teller).await?;
    let slack = stage.until("Slack is told", async || stage.standins.recorded("slack").first().cloned()).await?;
    teller.says(&format!("Slack was told: {:?}", first_line(&slack_text(&slack))));
    let mail = stage.until("a mail is sent", async || stage.standins.recorded("smtp").first().cloned()).await?;
    teller.says(&format!("{} got a mail: {:?}", mail.path, subject(&mail)));
    Ok(())
}

async fn siren(stage: &Stage, teller: &Teller) -> Played {
    stage
        .until("the siren sounds", async || {
            let listed = stage.json(&["deliveries", "list", "--channel", "siren"]).await;
            let status = text(&listed["deliveries"][0]["status"]);
            let heard = stage.ear.sound != Sound::Captured || stage.ear.heard_millis() >= 500;
            (["delivered", "simulated"].contains(&status.as_str()) && heard).then_some(())
        })
        .await?;
    teller.says(match stage.ear.sound {
        Sound::Real => "the siren sounds: its first samples are at the device",
        Sound::Captured => "the siren sounds: we hear it",
        Sound::Simulated => "the siren would sound now (simulated)",
    });
    Ok(())
}

async fn it_gets_louder(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("nobody acts: step 2 is an SMS, which is the very thing that is broken");
    let steps = stage
        .until("step 2 is skipped and step 3 comes at once", async || {
            let steps = stage.json(&["ledger", "query", "--kind", "incident_stepped"]).await;
            let steps = steps["entries"].as_array()?.clone();
            (steps.len() >= 3).then_some(steps)
        })
        .await?;
    let saved = steps[2]["saved"].as_i64().unwrap_or(0) / 1_000_000;
    if saved < 1 {
        return Err(format!("step 3 comes earlier than planned ({})", steps[2]));
    }
    teller.says(&format!("SMS is dead and has no fallback: nobody waits for it, step 3 comes {saved} s early"));
    let refused = stage.standins.recorded("twilio");
    if refused.iter().any(|r| r.path.ends_with("/Messages.json")) {
        return Err("no SMS is tried by the dead account".into());
    }
    let call = stage.until("alice is called", async || called(stage, "+15550100")).await?;
    teller.says(&format!("alice's phone rings, by another account: {:?}", spoken(&call)));
    stage.until("bob is called", async || called(stage, "+15550101")).await?;
    teller.says("bob's phone rings");
    show(stage, teller, &["status"], 1).await
}

fn called(stage: &Stage, number: &str) -> Option<Recorded> {
    let calls = stage.calls.recorded("twilio");
    calls.into_iter().find(|r| r.path.ends_with("/Calls.json") && r.form.get("To").is_some_and(|to| to == number))
}

async fn somebody_acknowledges(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("bob is awake");
    show(stage, teller, &["ack", "1", "--by", "bob", "--note", "rotating the key"], 0).await?;
    if stage.ear.sound == Sound::Captured {
        let mut heard = stage.ear.heard_millis();
        stage
            .until("the siren falls silent", async || {
                tokio::time::sleep(std::time::Duration::from_millis(900)).await;
                let now = stage.ear.heard_millis();
                let silent = now == heard;
                heard = now;
                silent.then_some(())
            })
            .await?;
        teller.says("the siren is silent");
    }
    let slack = stage.until("Slack hears of it", async || stage.standins.recorded("slack").get(1).cloned()).await?;
    teller.says(&format!("Slack was told: {:?}", first_line(&slack_text(&slack))));
    Ok(())
}

async fn it_recovers(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("the key works again");
    stage.standins.revoke_twilio(false);
    stage
        .until("the incident resolves by itself", async || {
            let shown = stage.json(&["incidents", "show", "1"]).await;
            (shown["status"] == "resolved").then_some(())
        })
        .await?;
    teller.says("the heartbeat passes: #1 is resolved");
    let slack =
        stage.until("Slack hears of the end", async || stage.standins.recorded("slack").get(2).cloned()).await?;
    teller.says(&format!("Slack was told: {:?}", first_line(&slack_text(&slack))));
    let mails = stage.until("the mail of the end", async || {
        stage.standins.recorded("smtp").into_iter().find(|m| subject(m).contains("RESOLVED"))
    });
    teller.says(&format!("ops@example.org got a mail: {:?}", subject(&mails.await?)));
    Ok(())
}

async fn a_deal_runs_low(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("a deal falls under its threshold");
    let metric = "deal.spacex-n.remaining";
    show(stage, teller, &["metric", "set", metric, "620000"], 0).await?;
    show(stage, teller, &["metric", "set", metric, "400000"], 0).await?;
    let mail = stage.until("TIER_1 is told", async || mailed(stage, "carol@client.example")).await?;
    teller.says(&format!("TIER_1: carol got a mail: {:?}", subject(&mail)));
    let sms = stage
        .until("TIER_1 is told by SMS", async || {
            let sent = stage.standins.recorded("twilio");
            sent.into_iter().find(|r| r.form.get("To").is_some_and(|to| to == "+15550102"))
        })
        .await?;
    teller.says(&format!("TIER_1: carol got an SMS: {:?}", sms.form.get("Body").map_or("", String::as_str)));
    let mail = stage.until("TIER_2 is told", async || mailed(stage, "dave@client.example")).await?;
    teller.says(&format!("TIER_2: dave got a mail: {:?}", subject(&mail)));
    if tier_1_went_first(stage).await != Some(true) {
        return Err("TIER_1 is told before TIER_2".into());
    }
    teller.says("in this order: what goes to TIER_1 leaves first");
    Ok(())
}

fn mailed(stage: &Stage, to: &str) -> Option<Recorded> {
    stage.standins.recorded("smtp").into_iter().find(|m| m.path == to)
}

/// By the ledger: mails travel side by side, so the order in which they arrive says nothing.
async fn tier_1_went_first(stage: &Stage) -> Option<bool> {
    let created = stage.json(&["ledger", "query", "--kind", "delivery_created"]).await;
    let started = stage.json(&["ledger", "query", "--kind", "attempt_started"]).await;
    let begun = |who: &str| {
        let mine: Vec<&Value> =
            created["entries"].as_array()?.iter().filter(|d| d["who"] == who).map(|d| &d["id"]).collect();
        started["entries"].as_array()?.iter().position(|a| mine.contains(&&a["delivery"]))
    };
    Some(begun("carol")? < begun("dave")?)
}

async fn the_record(stage: &Stage, teller: &Teller) -> Played {
    teller.scene("what is on record");
    let (exit, explained) = stage.command(&["explain", "1"]).await;
    if exit != 0 {
        return Err(format!("stentorctl explain 1 explains it ({explained})"));
    }
    teller.shows("stentorctl explain 1", &decisions(&explained));
    show(stage, teller, &["ledger", "tail", "-n", "8"], 0).await?;
    show(stage, teller, &["ledger", "stats", "--since", "1h"], 0).await?;
    show(stage, teller, &["ledger", "verify"], 0).await
}

/// The explanation without what became of each single message; dots stand for what is left out.
fn decisions(explained: &str) -> String {
    let lines: Vec<&str> = explained.lines().collect();
    let is_reason = |line: &&str| line.trim_start().starts_with("because");
    let keep = |what: &str| {
        ["#1 opened", " step ", "sms for", "acknowledged by", "resolved by"].iter().any(|w| what.contains(w))
            && !what.contains("ended")
    };
    let mut shown: Vec<&str> = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !is_reason(line)) {
        let reason = lines.get(at + 1).filter(|l| is_reason(l));
        match keep(line) {
            true => shown.extend(std::iter::once(line).chain(reason)),
            false if shown.last() != Some(&"...") => shown.push("..."),
            false => {}
        }
    }
    shown.join("\n")
}

/// Shows a command; its exit code is part of the story.
async fn show(stage: &Stage, teller: &Teller, arguments: &[&str], code: i32) -> Played {
    let words: Vec<String> =
        arguments.iter().map(|w| if w.contains(' ') { format!("\"{w}\"") } else { (*w).to_owned() }).collect();
    let command = format!("stentorctl {}", words.join(" "));
    let (exit, printed) = stage.command(arguments).await;
    teller.shows(&command, &printed);
    if exit == code { Ok(()) } else { Err(format!("{command} exits with {code} (it did with {exit})")) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn slack_text(request: &Recorded) -> String {
    let payload: Value = serde_json::from_str(&request.body).unwrap_or_default();
    text(&payload["text"])
}

/// On one line: a long one goes on in lines that begin with a blank.
fn subject(mail: &Recorded) -> String {
    let mut lines = mail.body.lines().skip_while(|line| !line.starts_with("Subject: "));
    let first = lines.next().and_then(|line| line.strip_prefix("Subject: ")).unwrap_or("(no subject)");
    let more = lines.take_while(|line| line.starts_with(' ')).map(str::trim);
    std::iter::once(first.trim_end()).chain(more).collect::<Vec<_>>().join(" ")
}

/// What the call says, without its TwiML.
fn spoken(call: &Recorded) -> String {
    let twiml = call.form.get("Twiml").map_or("", String::as_str);
    let said = twiml.split("<Say").nth(1).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
    said.split('<').next().unwrap_or_default().to_owned()
}
