//! What people do in stories.

use super::{World, span};
use crate::config::testing::from_toml;
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::who::Who;
use crate::engine::{Answer, Ask, Caller, LevelWord, OpenRequest, Read, Refusal, Role, SendRequest};
use serde_json::Value;
use std::sync::Arc;

/// An operator at the console.
pub fn operator() -> Caller {
    Caller { name: "uid 1000".into(), person: None, role: Role::Operator }
}

/// A person of the config, without any role.
pub fn person(name: &str) -> Caller {
    Caller { name: name.into(), person: Some(name.into()), role: Role::None }
}

pub fn who(names: &[&str]) -> Option<Vec<Who>> {
    Some(names.iter().map(|n| Who::parse(n).unwrap()).collect())
}

pub fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|n| (*n).to_owned()).collect())
}

pub fn level(word: &str) -> Option<LevelWord> {
    Some(LevelWord(Level::parse(word).unwrap()))
}

/// The number of the only incident in an answer.
pub fn number(answer: &Value) -> u64 {
    answer["incidents"][0]["number"].as_u64().unwrap()
}

impl World {
    pub fn does(&mut self, ask: Ask) -> Value {
        self.tries(ask).unwrap()
    }

    pub fn tries(&mut self, ask: Ask) -> Answer {
        let answer = self.ask(operator(), ask);
        // What is answered at once is answered before anybody looks.
        self.run_until(self.elapsed);
        answer
    }

    pub fn fails(&mut self, ask: Ask) -> Refusal {
        self.tries(ask).unwrap_err()
    }

    pub fn read(&mut self, read: Read) -> Value {
        self.does(Ask::Read(read))
    }

    // ---- one-shots

    pub fn try_send(&mut self, change: impl FnOnce(&mut SendRequest)) -> Answer {
        let mut request = SendRequest { subject: "x".into(), ..SendRequest::default() };
        change(&mut request);
        self.tries(Ask::Send(request))
    }

    pub fn send(&mut self, change: impl FnOnce(&mut SendRequest)) -> Value {
        self.try_send(change).unwrap()
    }

    // ---- incidents

    /// Opens one at this level; its number.
    pub fn open(&mut self, word: &str) -> u64 {
        self.open_with(|r| r.level = level(word))
    }

    pub fn open_with(&mut self, change: impl FnOnce(&mut OpenRequest)) -> u64 {
        let mut request = OpenRequest { subject: "disk full".into(), ..OpenRequest::default() };
        change(&mut request);
        number(&self.does(Ask::Open(request)))
    }

    pub fn ack(&mut self, number: u64, by: &str) -> Value {
        self.does(ack(number, Some(by)))
    }

    pub fn unack(&mut self, number: u64) {
        self.does(Ask::Unacknowledge { id: number.to_string() });
    }

    pub fn resolve(&mut self, number: u64) -> Value {
        self.does(Ask::Resolve { id: number.to_string(), note: None })
    }

    pub fn escalate(&mut self, number: u64) {
        self.does(Ask::Escalate { id: number.to_string() });
    }

    pub fn snooze(&mut self, number: u64, time: &str) {
        self.does(Ask::Snooze { id: number.to_string(), span: span(time) });
    }

    /// Its id.
    pub fn silence(&mut self, matchers: &str, time: &str) -> String {
        let matchers = Matcher::parse_list(matchers).unwrap();
        let ask = Ask::AddSilence { matchers, span: span(time), comment: "maintenance".into(), author: None };
        self.does(ask)["id"].as_str().unwrap().to_owned()
    }

    /// For stories that are not about them: the incidents about dead letters tell nobody.
    pub fn without_letters(&mut self) {
        self.silence("name=~\"dead-letters-.*\"", "300d");
    }

    // ---- checks

    pub fn metric(&mut self, name: &str, value: f64) {
        self.does(Ask::SetMetric { name: name.into(), value });
    }

    pub fn ping(&mut self, name: &str) {
        self.does(Ask::Ping { name: name.into(), fail: false });
    }

    /// A new config is put in force.
    pub fn reload(&mut self, toml: &str) {
        let config = from_toml(toml);
        let changed = crate::config::diff(&self.config(), &config);
        self.does(Ask::Apply { config: Arc::new(config), changed, kept: false });
    }
}

pub fn ack(number: u64, by: Option<&str>) -> Ask {
    Ask::Acknowledge { id: Some(number.to_string()), note: None, by: by.map(str::to_owned), via: "command".into() }
}
