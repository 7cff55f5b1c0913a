//! stentord's side of the player. Nothing here links libasound.
//!
//! One player process for each device, shared by all channels that use it and kept across a
//! reload. Each channel has a desk there: it begins sounds, says what it wants to be heard,
//! and is told what ended by itself. When the last desk is gone, so is the player.

mod actor;
mod check;
mod launch;
mod orders;
mod running;

pub(super) use check::check;
pub use launch::Launch;
pub use orders::NotHeard;

use crate::channel::sound::client::actor::{Actor, Command};
use crate::channel::sound::client::orders::{Over, Request};
use crate::channel::sound::protocol::{Cause, Heard, Piece};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Ended sounds that nobody asked about yet; the oldest are forgotten.
const MOST_ENDED: usize = 1_000;

/// The players of this process, by how they are started.
static PLAYERS: Mutex<BTreeMap<Launch, Weak<Player>>> = Mutex::new(BTreeMap::new());

/// A device's player; the process is started when there is something to hear.
#[derive(Debug)]
struct Player {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// What the desks and the actor both see.
#[derive(Debug, Default)]
struct Shared {
    /// Rung when a desk wants something else, or is gone.
    bell: Notify,
    desks: Mutex<Vec<(u64, Weak<Desk>)>>,
}

/// A channel's place at a player. Dropped, its sounds end.
#[derive(Debug)]
pub(super) struct Desk {
    id: u64,
    channel: String,
    player: Arc<Player>,
    /// The latest list, until the actor has read it.
    wanted: Mutex<Option<Vec<Request>>>,
    ended: Mutex<VecDeque<(String, Cause)>>,
    news: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of a channel at the player of this launch; the same one while somebody holds it.
///
/// # Errors
/// Outside of a tokio runtime there is no player.
pub(super) fn desk(launch: &Launch, channel: &str) -> Result<Arc<Desk>, NotHeard> {
    let mut players = lock(&PLAYERS);
    players.retain(|_, player| player.strong_count() > 0);
    let alive = players.get(launch).and_then(Weak::upgrade).filter(|player| !player.commands.is_closed());
    let player = match alive {
        Some(player) => player,
        None => {
            let player = Arc::new(Player::start(launch)?);
            players.insert(launch.clone(), Arc::downgrade(&player));
            player
        }
    };
    drop(players);
    Ok(player.desk(channel))
}

impl Player {
    fn start(launch: &Launch) -> Result<Player, NotHeard> {
        let here = tokio::runtime::Handle::try_current()
            .map_err(|_| NotHeard::Broken("sound needs a tokio runtime around it".to_owned()))?;
        let (commands, taken) = mpsc::channel(64);
        let shared = Arc::<Shared>::default();
        here.spawn(Actor::new(launch.clone(), taken, shared.clone()).run());
        Ok(Player { commands, shared })
    }

    fn desk(self: Arc<Self>, channel: &str) -> Arc<Desk> {
        let mut desks = lock(&self.shared.desks);
        if let Some(desk) = desks.iter().filter_map(|(_, desk)| desk.upgrade()).find(|desk| desk.channel == channel) {
            return desk;
        }
        let id = desks.last().map_or(1, |(last, _)| last + 1);
        let desk = Arc::new(Desk {
            id,
            channel: channel.to_owned(),
            player: self.clone(),
            wanted: Mutex::default(),
            ended: Mutex::default(),
            news: Notify::new(),
        });
        desks.push((id, Arc::downgrade(&desk)));
        desk
    }
}

impl Shared {
    fn desks(&self) -> Vec<(u64, Weak<Desk>)> {
        lock(&self.desks).clone()
    }

    fn desk(&self, id: u64) -> Option<Arc<Desk>> {
        lock(&self.desks).iter().find(|(known, _)| *known == id)?.1.upgrade()
    }

    fn forget(&self, id: u64) {
        lock(&self.desks).retain(|(known, _)| *known != id);
    }
}

impl Desk {
    /// Plays it and waits for its first samples.
    pub(super) async fn begin(&self, key: &str, piece: Piece, left: Duration) -> Result<Heard, NotHeard> {
        let (began, heard) = oneshot::channel();
        let request = Request { key: key.to_owned(), piece, left };
        self.ask(Command::Begin { desk: self.id, request, began }).await?;
        heard.await.map_err(|_| gone())?
    }

    /// Opens the device and closes it again; says how it opens.
    pub(super) async fn probe(&self) -> Result<String, NotHeard> {
        let (opened, heard) = oneshot::channel();
        self.ask(Command::Probe { opened }).await?;
        heard.await.map_err(|_| gone())?
    }

    /// All that should be heard of this channel: key, what, how much longer. A later list replaces
    /// an earlier one.
    pub(super) fn want(&self, sounds: impl Iterator<Item = (String, Piece, Duration)>) {
        let requests = sounds.map(|(key, piece, left)| Request { key, piece, left }).collect();
        *lock(&self.wanted) = Some(requests);
        self.player.shared.bell.notify_one();
    }

    /// Waits for the next sound that came to its end by itself.
    pub(super) async fn ended(&self) -> (String, Cause) {
        loop {
            let news = self.news.notified();
            if let Some(ended) = lock(&self.ended).pop_front() {
                return ended;
            }
            news.await;
        }
    }

    async fn ask(&self, command: Command) -> Result<(), NotHeard> {
        self.player.commands.send(command).await.map_err(|_| gone())
    }

    fn take_wanted(&self) -> Option<Vec<Request>> {
        lock(&self.wanted).take()
    }

    fn tell_over(&self, over: Over) {
        let mut ended = lock(&self.ended);
        if ended.len() == MOST_ENDED {
            ended.pop_front();
        }
        ended.push_back((over.key, over.cause));
        self.news.notify_one();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.player.shared.bell.notify_one();
    }
}

fn gone() -> NotHeard {
    NotHeard::Broken("the task that feeds the sound player has ended".to_owned())
}
