//! One call of the command: where it asks, in which form it answers.

use crate::ctl::client::{Answer, Api, Call};
use crate::ctl::global::Global;
use crate::ctl::screen::{Screen, escape};
use crate::ctl::trouble::{Exit, Trouble};
use serde_json::Value;
use std::io::{self, Write};
use std::time::Duration;

/// What a command comes to.
pub type Outcome = Result<Exit, Trouble>;

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    People,
    /// `--json`: the API's documents.
    Scripts,
    /// `--quiet`: errors and the exit code only.
    Nobody,
}

impl Form {
    pub fn of(global: &Global) -> Form {
        match (global.json, global.quiet) {
            (true, _) => Form::Scripts,
            (false, true) => Form::Nobody,
            (false, false) => Form::People,
        }
    }
}

pub struct Session<'a> {
    pub global: &'a Global,
    pub form: Form,
    pub screen: Screen<'a>,
    /// Errors and remarks, beside the answer.
    pub notes: &'a mut dyn Write,
    /// Somebody reads the notes as they come.
    pub on_terminal: bool,
}

impl Session<'_> {
    /// The daemon's API, by the global flags.
    ///
    /// # Errors
    /// An address or a token file that cannot be used.
    pub fn api(&self) -> Result<Api, Trouble> {
        Api::new(self.global)
    }

    /// Asks once.
    ///
    /// # Errors
    /// The daemon is not there, or says no.
    pub async fn ask(&self, call: Call) -> Result<Answer, Trouble> {
        self.api()?.ask(call).await
    }

    /// Prints an answer in the form that was asked for; `people` makes the text for people.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn show(
        &mut self,
        answer: &Answer,
        people: impl FnOnce(&mut Screen<'_>, &Value) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        match self.form {
            Form::People => {
                people(&mut self.screen, &answer.document)?;
                if answer.document.get("recorded") == Some(&Value::Bool(false)) {
                    self.note(
                        "Not recorded yet, since the disk takes nothing: it is undone if stentord ends before it is.",
                    );
                }
            }
            Form::Scripts => self.screen.document(&answer.raw)?,
            Form::Nobody => {}
        }
        Ok(())
    }

    /// A remark for people, beside the answer; never in the way of a script.
    pub fn remark(&mut self, text: &str) {
        if self.form == Form::People {
            self.note(text);
        }
    }

    /// Ends the session: prints what went wrong.
    pub fn conclude(&mut self, outcome: Outcome) -> Exit {
        let flushed = outcome.and_then(|exit| self.screen.flush().map(|()| exit).map_err(Trouble::Output));
        let trouble = match flushed {
            Ok(exit) => return exit,
            Err(trouble) => trouble,
        };
        if self.form == Form::Scripts && !matches!(trouble, Trouble::Output(_)) {
            // If this fails the exit code still tells.
            let _ = self.screen.document(&trouble.document());
        }
        self.complain(None, &trouble);
        trouble.exit()
    }

    /// Says what went wrong, `about` which of several things.
    pub fn complain(&mut self, about: Option<&str>, trouble: &Trouble) {
        let about = about.map(|a| format!("{a}: ")).unwrap_or_default();
        for (i, line) in trouble.lines().iter().enumerate() {
            let head = if i == 0 { format!("stentorctl: {about}") } else { "  ".into() };
            self.note(&format!("{head}{line}"));
        }
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(self.notes, "{}", escape(text));
    }
}

/// The first paragraph of clap's text in one line, without its "error: ".
pub fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|l| !l.is_empty());
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").map_or(joined.clone(), str::to_owned)
}

/// How long something that is followed is sought again after it broke off.
#[derive(Default)]
pub struct Reconnect {
    tries: u32,
    was_there: bool,
}

impl Reconnect {
    const TRIES: u32 = 30;
    const PAUSE: Duration = Duration::from_secs(1);

    /// Something was read.
    pub fn works(&mut self) {
        *self = Reconnect { tries: 0, was_there: true };
    }

    /// Waits a moment, or gives up with the trouble: the first connection has to work; a restart of
    /// the daemon afterwards is sat out.
    ///
    /// # Errors
    /// The trouble, when another try would not help.
    pub async fn pause(&mut self, session: &mut Session<'_>, trouble: Trouble) -> Result<(), Trouble> {
        let passing = matches!(trouble.exit(), Exit::Unreachable | Exit::TryAgain);
        if !passing || !self.was_there || self.tries == Self::TRIES {
            return Err(trouble);
        }
        if self.tries == 0 {
            session.complain(Some("trying again"), &trouble);
        }
        self.tries += 1;
        tokio::time::sleep(Self::PAUSE).await;
        Ok(())
    }
}
