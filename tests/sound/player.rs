//! The player alone, spoken to line by line.

use crate::PLAYER;
use crate::device::Device;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

struct Player {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Player {
    fn start(device: &Device) -> Player {
        let mut child = Command::new(PLAYER)
            .arg("--serve")
            .env("ALSA_CONFIG_PATH", device.config())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Player { stdin: child.stdin.take(), child, answers }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn answer(&mut self) -> String {
        self.answers.next().unwrap().unwrap()
    }
}

#[test]
fn it_answers_in_the_order_of_the_sound() {
    let device = Device::file();
    let mut player = Player::start(&device);
    player.say(r#"{"ask":"play","id":1,"tone":"soft","volume":1.0,"repeat":1,"max_ms":60000}"#);
    assert_eq!(player.answer(), r#"{"answer":"started","id":1}"#);
    assert_eq!(player.answer(), r#"{"answer":"ended","id":1,"cause":"played"}"#);
    player.say(r#"{"ask":"ping","id":2}"#);
    assert_eq!(player.answer(), r#"{"answer":"pong","id":2}"#);
}

#[test]
fn a_stop_ends_one_sound_or_all() {
    let (device, _listener) = Device::paced();
    let mut player = Player::start(&device);
    for id in 1..=3 {
        player.say(&format!(r#"{{"ask":"play","id":{id},"tone":"siren","volume":0.3,"max_ms":60000}}"#));
    }
    for id in 1..=3 {
        assert_eq!(player.answer(), format!(r#"{{"answer":"started","id":{id}}}"#));
    }
    player.say(r#"{"ask":"stop","id":2}"#);
    assert_eq!(player.answer(), r#"{"answer":"ended","id":2,"cause":"stopped"}"#);
    player.say(r#"{"ask":"stop","id":2}"#);
    player.say(r#"{"ask":"stop_all"}"#);
    assert_eq!(player.answer(), r#"{"answer":"ended","id":1,"cause":"stopped"}"#);
    assert_eq!(player.answer(), r#"{"answer":"ended","id":3,"cause":"stopped"}"#);
}

#[test]
fn it_ends_with_its_input_also_while_it_sounds() {
    let (device, listener) = Device::paced();
    let mut player = Player::start(&device);
    player.say(r#"{"ask":"play","id":1,"tone":"siren","volume":1.0,"max_ms":60000}"#);
    assert_eq!(player.answer(), r#"{"answer":"started","id":1}"#);
    while listener.all().len() < 12_000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    player.stdin = None;
    assert!(player.child.wait().unwrap().success());
}

#[test]
fn nonsense_is_passed_over() {
    let device = Device::file();
    let mut player = Player::start(&device);
    player.say("{}");
    player.say(r#"{"ask":"sing"}"#);
    player.say("not even JSON \u{0}");
    player.say(r#"{"ask":"ping","id":9}"#);
    assert_eq!(player.answer(), r#"{"answer":"pong","id":9}"#);
}
