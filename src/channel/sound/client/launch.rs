//! Where the player is, and what it is given: nothing that it does not need, so no secrets.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = "stentor-player";
/// Names the program, wherever it is.
const VARIABLE: &str = "STENTOR_PLAYER";
/// What of our environment a sound library may need, by name and by beginning.
const PASSED: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH"];
const PASSED_PREFIXES: [&str; 4] = ["ALSA_", "PULSE_", "PIPEWIRE_", "JACK_"];

/// How a player is started. Equal ones share a player.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Launch {
    program: Option<PathBuf>,
    device: String,
    /// For what the first one does not play.
    fallback: Option<String>,
    variables: BTreeMap<String, String>,
}

impl Launch {
    /// For a device as ALSA knows it. The program is what STENTOR_PLAYER names, else
    /// `stentor-player` beside this executable, else in PATH.
    pub fn new(device: impl Into<String>) -> Self {
        Launch { program: None, device: device.into(), fallback: None, variables: BTreeMap::new() }
    }

    /// A second device, where the first one cannot be opened.
    pub fn fallback(mut self, device: Option<String>) -> Self {
        self.fallback = device;
        self
    }

    /// This program, wherever the others are.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// One more environment variable for the player.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub fn device(&self) -> &str {
        &self.device
    }

    /// `stentor-player --serve`, with all its ends in our hands.
    pub(super) fn serve(&self) -> Result<Command, String> {
        let mut command = self.command()?;
        command.arg("--serve").arg(format!("--device={}", self.device)).stdin(Stdio::piped());
        command.args(self.fallback.as_ref().map(|device| format!("--fallback-device={device}")));
        Ok(command)
    }

    /// `stentor-player --check FILE`.
    pub(super) fn check(&self, file: &Path) -> Result<Command, String> {
        let mut command = self.command()?;
        command.arg("--check").arg(file).stdin(Stdio::null());
        Ok(command)
    }

    fn command(&self) -> Result<Command, String> {
        let mut command = Command::new(self.find()?);
        command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_passed)));
        command.envs(&self.variables);
        Ok(command)
    }

    fn find(&self) -> Result<PathBuf, String> {
        if let Some(program) = self.program.clone().or_else(|| env::var_os(VARIABLE).map(PathBuf::from)) {
            return Ok(program);
        }
        let here = env::current_exe().ok().and_then(|me| Some(me.parent()?.to_owned()));
        let path = env::var_os("PATH").unwrap_or_default();
        here.into_iter()
            .chain(env::split_paths(&path))
            .map(|folder| folder.join(PROGRAM))
            .find(|program| program.is_file())
            .ok_or_else(|| {
                format!("{PROGRAM} is neither beside this program nor in PATH; install it, or name it in {VARIABLE}")
            })
    }
}

fn is_passed(name: &str) -> bool {
    PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn secrets_of_our_environment_stay_here() {
        assert!(is_passed("ALSA_CONFIG_PATH") && is_passed("PATH") && is_passed("PULSE_SERVER"));
        assert!(!is_passed("TWILIO_AUTH_TOKEN") && !is_passed("SMTP_PASSWORD") && !is_passed("CREDENTIALS_DIRECTORY"));
    }

    #[test]
    fn the_device_is_an_argument_and_never_an_option() {
        let command = Launch::new("--check").program("/bin/true").serve().unwrap();
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["--serve", "--device=--check"]);
        let command = Launch::new("a").fallback(Some("--b".into())).program("/bin/true").serve().unwrap();
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["--serve", "--device=a", "--fallback-device=--b"]);
    }
}
