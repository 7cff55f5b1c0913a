//! Sound devices made of ALSA's file plugin: one that keeps all samples in a file and takes them
//! as fast as they come (for sounds that end), and one that is a pipe, emptied at the pace of a
//! real device.

use crate::PLAYER;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stentor::channel::SoundTerms;
use stentor::channel::sound::client::Launch;
use stentor::channel::sound::{Settings, Sound};
use stentor::domain::time::Span;
use tempfile::TempDir;

/// What one opening of the device gave: samples of the left channel.
pub type Take = Vec<f32>;

pub struct Device {
    dir: TempDir,
}

impl Device {
    /// Keeps what is played; every opening begins the file anew.
    pub fn file() -> Device {
        Device::new()
    }

    /// Nobody reads it: opening it hangs.
    pub fn stuck() -> Device {
        let device = Device::new();
        mkfifo(&device.out(), Mode::S_IRWXU).unwrap();
        device
    }

    /// Takes samples as fast as a real device would.
    pub fn paced() -> (Device, Listener) {
        let device = Device::stuck();
        let listener = Listener::on(device.out());
        (device, listener)
    }

    fn new() -> Device {
        let device = Device { dir: tempfile::tempdir().unwrap() };
        let config = format!(
            "</usr/share/alsa/alsa.conf>\n\
             pcm.!default {{ type plug slave {{ pcm \"rec\" rate 48000 channels 2 format S16_LE }} }}\n\
             pcm.rec {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
            device.out().display()
        );
        fs::write(device.path("alsa.conf"), config).unwrap();
        device
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn out(&self) -> PathBuf {
        self.path("out.raw")
    }

    pub fn config(&self) -> String {
        self.path("alsa.conf").to_str().unwrap().to_owned()
    }

    pub fn launch(&self, device: &str) -> Launch {
        // A script of ours must not be written here: while another test forks, it would be busy.
        Launch::new(device)
            .program(script("noted.sh"))
            .variable("ALSA_TEST_PIDS", self.path("pids").to_str().unwrap())
            .variable("ALSA_TEST_PLAYER", PLAYER)
            .variable("ALSA_CONFIG_PATH", self.config())
    }

    /// A channel on this device.
    pub fn channel(&self, settings: Settings) -> Sound {
        let launch = self.launch(&settings.device).fallback(settings.fallback_device.clone());
        Sound::with_player(settings, launch)
    }

    /// The players that were started, in order.
    pub fn players(&self) -> Vec<Pid> {
        let pids = fs::read_to_string(self.path("pids")).unwrap_or_default();
        pids.lines().map(|line| Pid::from_raw(line.parse().unwrap())).collect()
    }

    pub fn heard(&self) -> Take {
        left(&fs::read(self.out()).unwrap())
    }
}

fn left(bytes: &[u8]) -> Take {
    bytes.chunks_exact(4).map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0).collect()
}

/// Reads a pipe at 48,000 frames a second.
pub struct Listener {
    path: PathBuf,
    takes: Arc<Mutex<Vec<Take>>>,
    open: Arc<AtomicBool>,
    deaf: Arc<AtomicBool>,
}

impl Listener {
    fn on(path: PathBuf) -> Listener {
        let (takes, open, deaf) = (Arc::default(), Arc::default(), Arc::default());
        let listener = Listener { path, takes, open, deaf };
        listener.listen();
        listener
    }

    /// A thread that ends when the listener was made deaf.
    pub fn listen(&self) {
        self.deaf.store(false, Ordering::SeqCst);
        let (path, takes, open, deaf) = (self.path.clone(), self.takes.clone(), self.open.clone(), self.deaf.clone());
        std::thread::spawn(move || {
            // Waits until somebody opens it for writing.
            while let Ok(mut pipe) = File::open(&path) {
                open.store(true, Ordering::SeqCst);
                takes.lock().unwrap().push(Take::new());
                let mut chunk = vec![0; 9_600];
                while let Ok(()) = pipe.read_exact(&mut chunk) {
                    takes.lock().unwrap().last_mut().unwrap().extend(left(&chunk));
                    std::thread::sleep(Duration::from_millis(50));
                    if deaf.load(Ordering::SeqCst) {
                        open.store(false, Ordering::SeqCst);
                        return;
                    }
                }
                open.store(false, Ordering::SeqCst);
            }
        });
    }

    /// Stops reading and closes the pipe: the device vanishes.
    pub fn unplug(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    pub fn takes(&self) -> Vec<Take> {
        self.takes.lock().unwrap().clone()
    }

    /// All that was heard so far.
    pub fn all(&self) -> Take {
        self.takes().concat()
    }
}

/// Waits for something that has to come; half a minute is for the slowest machine.
pub async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..1_500 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come to this: {what}");
}

pub fn until_acknowledged() -> SoundTerms {
    SoundTerms { repeat: None, max: Span::mins(15) }
}

pub fn times(times: u32) -> SoundTerms {
    SoundTerms { repeat: Some(times), max: Span::mins(15) }
}

pub fn script(name: &str) -> String {
    format!("{}/tests/sound/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub fn fixture(name: &str) -> String {
    script(&format!("fixtures/{name}"))
}
