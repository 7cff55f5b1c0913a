//! How doors talk to the engine.

use super::note::{Note, is_intake};
use super::underway::UnderWay;
use crate::config::Config;
use crate::domain::event::Frame;
use crate::domain::failpoint::{self, Point};
use crate::engine::{Answer, Ask, Caller, Code, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// One frame that is durable.
#[derive(Clone, Debug)]
pub struct Released {
    pub frame: Arc<Frame>,
}

/// What moves, for the watchdog, `readyz` and metrics.
#[derive(Debug, Default)]
pub struct Progress {
    /// Turns of the loop.
    pub turns: AtomicU64,
    /// The last event decided on, and the last one that is durable.
    pub decided_seq: AtomicU64,
    pub durable_seq: AtomicU64,
    pub attempts: Arc<UnderWay>,
    /// The journal cannot be made durable.
    pub emergency: AtomicBool,
    /// Nobody can be told of something urgent.
    pub unheard: AtomicBool,
    /// No new requests are taken: the daemon is stopping.
    pub closing: AtomicBool,
}

/// The lanes' near ends.
#[derive(Clone)]
pub struct Handle {
    outcomes: mpsc::UnboundedSender<Note>,
    control: mpsc::Sender<Note>,
    intake: mpsc::Sender<Note>,
    released: broadcast::Sender<Released>,
    config: watch::Receiver<Arc<Config>>,
    progress: Arc<Progress>,
}

/// The lanes' far ends, for the loop.
pub struct Lanes {
    /// Sized by slots: each attempt and probe under way has one message.
    pub(super) outcomes: mpsc::UnboundedReceiver<Note>,
    pub(super) control: mpsc::Receiver<Note>,
    pub(super) intake: mpsc::Receiver<Note>,
    pub(super) released: broadcast::Sender<Released>,
    pub(super) config: watch::Sender<Arc<Config>>,
    pub(super) progress: Arc<Progress>,
}

/// Requests that may wait for the engine.
const INTAKE: usize = 4_096;
const CONTROL: usize = 1_024;
/// Frames that a reader of the event stream may lag behind.
const STREAM: usize = 4_096;

impl Lanes {
    /// Both ends.
    pub fn open(config: Arc<Config>) -> (Handle, Lanes) {
        let (outcomes, outcomes_far) = mpsc::unbounded_channel();
        let (control, control_far) = mpsc::channel(CONTROL);
        let (intake, intake_far) = mpsc::channel(INTAKE);
        let (released, _) = broadcast::channel(STREAM);
        let (config_near, config) = watch::channel(config);
        let progress = Arc::new(Progress::default());
        let lanes = Lanes {
            outcomes: outcomes_far,
            control: control_far,
            intake: intake_far,
            released: released.clone(),
            config: config_near,
            progress: progress.clone(),
        };
        (Handle { outcomes, control, intake, released, config, progress }, lanes)
    }
}

impl Handle {
    /// Asks the engine, and waits until the answer's ground is durable.
    ///
    /// # Errors
    /// The engine's refusal, or OVERLOADED when the lane is full or the daemon stops.
    pub async fn ask(&self, by: Caller, ask: Ask) -> Answer {
        let urgent = is_urgent(&ask);
        let intake = is_intake(&ask);
        let lane = if intake { &self.intake } else { &self.control };
        if self.progress.closing.load(Ordering::Relaxed) {
            return Err(overloaded("stentor is stopping"));
        }
        // The last tenth of the intake lane is for urgent.
        if !urgent && lane.capacity() <= lane.max_capacity() / 10 {
            return Err(overloaded("too many requests wait"));
        }
        failpoint::reached_if(intake, Point::Asked);
        let (reply, answer) = oneshot::channel();
        let note = Note { by, ask, replies: vec![reply] };
        lane.try_send(note).map_err(|_| overloaded("too many requests wait"))?;
        let answer = answer.await.unwrap_or_else(|_| Err(overloaded("stentor is stopping")));
        failpoint::reached_if(intake, Point::Answered);
        answer
    }

    /// An outcome or a trigger; never refused, nothing is answered.
    pub fn tell(&self, by: Caller, ask: Ask) {
        // A closed lane means that the loop has ended, and then nobody is left to be told.
        let _ = self.outcomes.send(Note { by, ask, replies: Vec::new() });
    }

    /// Durable frames in order, from now on. A reader that lags is told so and must resume from the ledger.
    pub fn subscribe(&self) -> broadcast::Receiver<Released> {
        self.released.subscribe()
    }

    pub fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    /// Wakes at each new config.
    pub fn config_changes(&self) -> watch::Receiver<Arc<Config>> {
        self.config.clone()
    }

    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

pub(super) fn is_urgent(ask: &Ask) -> bool {
    use crate::domain::level::Level;
    match ask {
        Ask::Send(r) => r.level.is_some_and(|l| l.0 == Level::Urgent),
        Ask::Report(r) => r.urgent,
        Ask::Open(r) => r.level.is_none_or(|l| l.0 == Level::Urgent),
        _ => true,
    }
}

pub(super) fn overloaded(why: &str) -> Refusal {
    Refusal::new(Code::Overloaded, why).retry_after(1)
}
