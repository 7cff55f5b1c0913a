//! The network between us and the providers: names that lead nowhere, packets that vanish, none at all.
//! Each story has a network of its own, in which nothing leads out.

use crate::harness::ways;
use crate::harness::{Daemon, Home, NameServer, Names, alone, black_hole, each, eventually, ip, shell, skip};
use crate::sound::{Ear, FRAMES_A_SECOND, can_sound};
use crate::standins::Standins;
use crate::standins::script::Fault;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The webhook under names; beside it one that needs no name.
fn by_name(more: &str) -> String {
    let named = |name: &str| {
        let url = format!("${{{}}}", name.to_uppercase());
        format!("[channels.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\nallow_plain = true\nfallback = \"hook\"\n")
    };
    ways::and(&format!("{}{more}\n{}", NAMES.map(named).concat(), ways::BY_HOOK))
}

/// One for each thing that may be wrong with it, since a way that fails is left alone for a while.
const NAMES: [&str; 4] = ["failing", "hanging", "lying", "named"];

/// Nothing is kept of a connection, so that the name is asked for each time.
const NO_KEPT_CONNECTION: Fault = Fault::CutAnswer;

fn home(standins: &Standins, more: &str) -> Home {
    let name = |name: &str| {
        let url = standins.addresses().hook.replace("127.0.0.1", &format!("{name}.example"));
        (name.to_uppercase(), url)
    };
    Home::new(&by_name(more)).envs(ways::environment(standins)).envs(NAMES.map(name))
}

async fn name_server(story: &str, names: Names) -> Option<NameServer> {
    match NameServer::start(names).await {
        Ok(server) => Some(server),
        Err(why) => {
            skip(story, &why);
            None
        }
    }
}

fn loopback() -> Vec<IpAddr> {
    vec!["127.0.0.1".parse().unwrap()]
}

async fn send(daemon: &Daemon, channel: &str) -> Value {
    let arguments = ["send", "--level", "urgent", "--subject", "x", "--channel", channel, "--wait"];
    daemon.ok(&arguments).await["deliveries"][0].clone()
}

/// How long an attempt took, as it is recorded.
fn seconds(attempt: &Value) -> f64 {
    let at = |field: &str| attempt[field].as_str().unwrap().parse::<Timestamp>().unwrap();
    at("finished_at").duration_since(at("started_at")).as_secs_f64()
}

#[tokio::test]
async fn f28_name_servers_that_fail_hang_or_lie() {
    if !alone("network::f28_name_servers_that_fail_hang_or_lie").await {
        return;
    }
    let Some(server) = name_server("name servers", Names::Fail).await else { return };
    let standins = Standins::start().await;
    let daemon = home(&standins, "").start().await;
    standins.set("hook", NO_KEPT_CONNECTION);
    let fails = async |name: &str, class: &str, words: &str| {
        let told = send(&daemon, name).await;
        assert_eq!(each(&told["attempts"], "channel"), [name, "hook"], "{told}");
        let attempt = &told["attempts"][0];
        assert_eq!((&attempt["class"], &attempt["possibly_duplicate"]), (&json!(class), &json!(false)), "{told}");
        assert!(attempt["error"].as_str().unwrap().contains(words), "{told}");
    };
    fails("failing", "PROVIDER_ERROR", "failing.example cannot be looked up").await;
    server.set(Names::Hang);
    fails("hanging", "TIMEOUT", "the name server does not answer").await;
    server.set(Names::Lead(vec!["169.254.169.254".parse().unwrap()]));
    fails("lying", "PROVIDER_ERROR", "link-local").await;

    server.set(Names::Lead(loopback()));
    assert_eq!(each(&send(&daemon, "named").await["attempts"], "channel"), ["named"]);
    for names in [Names::Fail, Names::Hang, Names::Hang] {
        server.set(names);
        let told = send(&daemon, "named").await;
        assert_eq!(each(&told["attempts"], "channel"), ["named"], "where it last led: {told}");
    }
    // Led elsewhere since: what it was when we looked first does not count.
    server.set(Names::Lead(vec!["169.254.169.254".parse().unwrap()]));
    eventually("it is refused", async || {
        let told = send(&daemon, "named").await;
        (each(&told["attempts"], "channel") == ["named", "hook"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn f29_packets_that_vanish_are_a_time_out_and_the_next_way_is_taken() {
    if !alone("network::f29_packets_that_vanish_are_a_time_out_and_the_next_way_is_taken").await {
        return;
    }
    let (hole, _) = black_hole().await;
    let standins = Standins::start().await;
    let far_mail = "[channels.far-mail]\nkind = \"smtp\"\nhost = \"${HOLE}\"\ntls = \"implicit\"\nfrom = \"s@example.org\"\n\
         to = [\"ops@example.org\"]\nfallback = \"hook\"\n";
    let daemon = home(&standins, far_mail).env("NAMED", format!("http://{hole}/")).env("HOLE", hole).start().await;
    let (web, mail) = tokio::join!(send(&daemon, "named"), send(&daemon, "far-mail"));
    for told in [web, mail] {
        let attempts = told["attempts"].as_array().unwrap();
        assert_eq!((&attempts[0]["class"], &attempts[1]["channel"]), (&json!("TIMEOUT"), &json!("hook")), "{told}");
        assert_eq!(attempts[1]["possibly_duplicate"], false, "it was never sent: {told}");
        assert!(seconds(&attempts[0]) < 15.0, "within the deadline of an attempt: {told}");
    }
    assert_eq!(standins.recorded("hook").len(), 2);
}

/// Drops three of ten packets on loopback.
async fn lose_packets() -> Result<(), String> {
    // Of a random number, the lower three tenths; what they match goes where there is no room.
    const RANDOM: &str = "4,32 0 0 4294963256,53 1 0 1288490188,6 0 0 4294967295,6 0 0 0";
    let netem = shell("tc qdisc add dev lo root netem loss 30%").await;
    if netem.is_ok() {
        return netem;
    }
    shell(&format!(
        "tc qdisc add dev lo root handle 1: htb default 10 &&
         tc class add dev lo parent 1: classid 1:10 htb rate 10gbit &&
         tc class add dev lo parent 1: classid 1:30 htb rate 10gbit &&
         tc qdisc add dev lo parent 1:30 handle 30: bfifo limit 1 &&
         tc filter add dev lo parent 1: bpf bytecode '{RANDOM}' flowid 1:30"
    ))
    .await
}

#[tokio::test]
async fn f30_with_three_packets_in_ten_lost_everything_arrives() {
    if !alone("network::f30_with_three_packets_in_ten_lost_everything_arrives").await {
        return;
    }
    if let Err(why) = lose_packets().await {
        return skip("three packets in ten lost", &why);
    }
    let standins = Standins::start().await;
    let daemon = home(&standins, "").start().await;
    let mut sent = BTreeSet::new();
    for n in 0..20 {
        let told = daemon.ok(&["send", "--subject", &format!("message {n}"), "--channel", "hook"]).await;
        sent.insert(told["deliveries"][0]["id"].as_str().unwrap().to_owned());
    }
    let mut attempts = 0;
    for id in &sent {
        let told = eventually("it arrives", async || {
            let told = daemon.ok(&["deliveries", "show", id]).await;
            (told["status"] == "delivered").then_some(told)
        })
        .await;
        attempts += told["attempts"].as_array().unwrap().len();
    }
    let got = standins.recorded("hook");
    let keys: BTreeSet<String> = got.iter().map(|r| r.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, sent, "each, and nothing else");
    assert!(got.len() <= attempts, "{} times sent, {attempts} attempts recorded", got.len());
}

#[tokio::test]
async fn f34_a_host_whose_ipv6_leads_nowhere_is_reached_over_ipv4() {
    if !alone("network::f34_a_host_whose_ipv6_leads_nowhere_is_reached_over_ipv4").await {
        return;
    }
    let (_, hole) = black_hole().await;
    let addresses = [vec![hole.parse().unwrap()], loopback()].concat();
    let Some(_server) = name_server("IPv6 that leads nowhere", Names::Lead(addresses)).await else { return };
    let standins = Standins::start().await;
    let more = format!(
        "[channels.named-mail]\nkind = \"smtp\"\nhost = \"mail.example\"\nport = {}\ntls = \"none\"\nallow_plain = true\n\
         from = \"s@example.org\"\nto = [\"ops@example.org\"]\n[heartbeats.named]\nprobe = \"named\"\nevery = \"1d\"\n",
        standins.addresses().smtp_plain_port
    );
    let daemon = home(&standins, &more).start().await;
    for channel in ["named", "named-mail"] {
        let told = send(&daemon, channel).await;
        assert_eq!(each(&told["attempts"], "channel"), [channel], "{told}");
        // Alone, the dead address would have cost a connection's five seconds.
        assert!(seconds(&told["attempts"][0]) < 5.0, "{told}");
    }
    let probed = daemon.ok(&["heartbeats", "run", "named"]).await;
    assert!(probed.to_string().contains("connected to 127.0.0.1"), "{probed}");
}

#[tokio::test]
async fn f35_offline_it_sounds_and_waits_and_sends_only_what_is_not_too_old() {
    if !alone("network::f35_offline_it_sounds_and_waits_and_sends_only_what_is_not_too_old").await {
        return;
    }
    let standins = Standins::start().await;
    let sounds = can_sound().await;
    let siren = "[channels.siren]\nkind = \"sound\"\nrepeat = \"until-acknowledged\"\nmax = \"5m\"\n";
    let (siren, channels) = if sounds { (siren, "\"siren\", \"hook\"") } else { ("", "\"hook\"") };
    let config = ways::and(&format!("{siren}[levels.urgent]\nchannels = [{channels}]\n{}", ways::BY_HOOK));
    let home = Home::new(&config).envs(ways::environment(&standins));
    let ear = Ear::in_folder(&home);
    let alsa = ear.config.to_str().unwrap().to_owned();
    let daemon = home.env("ALSA_CONFIG_PATH", alsa).start().await;

    ip("link set lo down").await;
    daemon.ok(&["page", "--subject", "the line is cut"]).await;
    if sounds {
        eventually("it is heard", async || (ear.loud_after(0) > FRAMES_A_SECOND / 2).then_some(())).await;
    }
    let old = daemon.ok(&["send", "--subject", "soon too late", "--ttl", "1s"]).await;
    let old = old["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let expired = eventually("it is too late", async || {
        let told = daemon.ok(&["deliveries", "show", &old]).await;
        (told["status"] == "expired").then_some(told)
    })
    .await;
    assert!(expired["attempts"].to_string().contains("cannot connect"), "{expired}");
    let status = daemon.status().await;
    assert_eq!(status["queue"]["waiting"], 1, "the page: {status}");

    ip("link set lo up").await;
    let got = standins.wait_for("hook", 1).await;
    assert!(got[0].body.contains("the line is cut"), "{got:?}");
    eventually("nothing waits any more", async || (daemon.status().await["queue"]["waiting"] == 0).then_some(())).await;
    let got = standins.recorded("hook");
    assert_eq!(got.len(), 1, "once, and not what is too old: {got:?}");
}
