//! The one task that owns a device's player: it keeps the process in line with the orders.
//!
//! A player that dies is started again, after a pause that grows; one that does not answer, or
//! does not fall silent, is killed first. Nothing here waits for it longer than a second.

use crate::channel::sound::client::launch::Launch;
use crate::channel::sound::client::orders::{Began, NotHeard, Orders, Over, Request};
use crate::channel::sound::client::running::Running;
use crate::channel::sound::client::{Desk, Shared};
use crate::channel::sound::protocol::{Answer, Ask};
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// Between two pings, while there is something to hear.
const PING_EVERY: Duration = Duration::from_secs(1);
/// A player that has not answered a ping by then is killed.
const PONG_WITHIN: Duration = Duration::from_secs(3);
/// Between a death and the next start, doubled each time until something sounds.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// Nothing lasts longer; keeps every sum of times far from overflow.
const A_YEAR: Duration = Duration::from_secs(366 * 86_400);

/// What is asked of the actor.
#[derive(Debug)]
pub(super) enum Command {
    Begin {
        desk: u64,
        request: Request,
        began: oneshot::Sender<Began>,
    },
    /// Opens the device and closes it again.
    Probe {
        opened: oneshot::Sender<Result<String, NotHeard>>,
    },
}

pub(super) struct Actor {
    launch: Launch,
    commands: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    orders: Orders,
    player: Option<Running>,
    probes: BTreeMap<u64, oneshot::Sender<Result<String, NotHeard>>>,
    /// Probes that wait for a player.
    probes_to_ask: Vec<oneshot::Sender<Result<String, NotHeard>>>,
    next_ping: Instant,
    /// The number of the ping that is out, and when its answer is late.
    pong: Option<(u64, Instant)>,
    /// No start before this.
    next_start: Instant,
    pause: Duration,
}

impl Actor {
    pub(super) fn new(launch: Launch, commands: mpsc::Receiver<Command>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Actor {
            launch,
            commands,
            shared,
            orders: Orders::default(),
            player: None,
            probes: BTreeMap::new(),
            probes_to_ask: Vec::new(),
            next_ping: now,
            pong: None,
            next_start: now,
            pause: FIRST_PAUSE,
        }
    }

    /// Until nobody holds this player any more; then it is killed.
    pub(super) async fn run(mut self) {
        loop {
            self.look_at_the_time();
            self.start();
            self.ask().await;
            let wake = self.next_wake();
            let shared = self.shared.clone();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => return,
                },
                answer = next_answer(&mut self.player) => match answer {
                    Some(answer) => self.heard(answer),
                    None => self.bury(None).await,
                },
                () = shared.bell.notified() => self.read_the_desks(),
                () = sleep_until(wake) => {}
            }
        }
    }

    fn take(&mut self, command: Command) {
        let now = Instant::now();
        // Somebody waits: no pause of ours shall make that longer.
        self.next_start = self.next_start.min(now);
        match command {
            Command::Begin { desk, request, began } => self.orders.begin(desk, limited(request), now, began),
            Command::Probe { opened } => self.probes_to_ask.push(opened),
        }
    }

    /// What the desks want by now, and which of them are gone.
    fn read_the_desks(&mut self) {
        let now = Instant::now();
        for (id, desk) in self.shared.desks() {
            match desk.upgrade() {
                None => {
                    self.orders.leave(id);
                    self.shared.forget(id);
                }
                Some(desk) => {
                    if let Some(wanted) = desk.take_wanted() {
                        self.orders.list(id, wanted.into_iter().map(limited).collect(), now);
                    }
                }
            }
        }
    }

    fn start(&mut self) {
        let now = Instant::now();
        let needed = self.orders.need_a_player(now) || !self.probes_to_ask.is_empty();
        if self.player.is_some() || !needed || now < self.next_start {
            return;
        }
        match Running::start(&self.launch) {
            Ok(player) => {
                tracing::debug!(device = self.launch.device(), pid = player.pid(), "started the sound player");
                self.player = Some(player);
                self.pong = None;
                self.next_ping = now;
            }
            Err(why) => {
                let trouble = NotHeard::Broken(why);
                self.orders.no_player(&trouble, now);
                self.refuse_probes(&trouble);
                self.rest(now);
            }
        }
    }

    fn rest(&mut self, now: Instant) {
        self.next_start = now + self.pause;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    /// Tells the player all that it should know by now.
    async fn ask(&mut self) {
        let Some(player) = &mut self.player else { return };
        let now = Instant::now();
        let mut asks = self.orders.asks(now);
        for probe in self.probes_to_ask.drain(..) {
            let id = self.orders.new_id();
            self.probes.insert(id, probe);
            asks.push(Ask::Check { id });
        }
        if self.pong.is_none() && now >= self.next_ping && (self.orders.are_heard() || !self.probes.is_empty()) {
            let id = self.orders.new_id();
            self.pong = Some((id, now + PONG_WITHIN));
            asks.push(Ask::Ping { id });
        }
        for ask in &asks {
            if let Err(why) = player.ask(ask).await {
                return self.bury(Some(why)).await;
            }
        }
    }

    fn heard(&mut self, answer: Answer) {
        let now = Instant::now();
        let last_words = match (&answer, &self.player) {
            (Answer::Failed { .. }, Some(player)) => player.last_words(),
            _ => String::new(),
        };
        match &answer {
            Answer::Pong { id } if self.pong.is_some_and(|(awaited, _)| awaited == *id) => {
                self.pong = None;
                self.next_ping = now + PING_EVERY;
            }
            Answer::Started { .. } | Answer::Opens { .. } => self.pause = FIRST_PAUSE,
            _ => {}
        }
        match answer {
            Answer::Opens { id, ref how } => self.probed(id, Ok(how.clone())),
            Answer::Failed { id, ref why } => self.probed(id, Err(NotHeard::Broken(format!("{why}{last_words}")))),
            _ => {}
        }
        if let Some(over) = self.orders.heard(answer, now, &last_words) {
            self.shared.tell_over(over);
        }
    }

    fn probed(&mut self, id: u64, result: Result<String, NotHeard>) {
        if let Some(probe) = self.probes.remove(&id) {
            let _ = probe.send(result);
        }
    }

    fn refuse_probes(&mut self, trouble: &NotHeard) {
        let asked = std::mem::take(&mut self.probes).into_values();
        for probe in asked.chain(self.probes_to_ask.drain(..)) {
            let _ = probe.send(Err(trouble.clone()));
        }
    }

    fn look_at_the_time(&mut self) {
        let now = Instant::now();
        self.orders.look_at_the_time(now).into_iter().for_each(|over: Over| self.shared.tell_over(over));
        self.probes.retain(|_, probe| !probe.is_closed());
        // What it answered while we were slow speaks for it.
        while let Some(answer) = self.player.as_mut().and_then(Running::answer_at_hand) {
            self.heard(answer);
        }
        let hung = self.pong.is_some_and(|(_, late)| late <= now);
        if hung || self.orders.is_deaf(now) {
            let why = if hung { "did not answer" } else { "did not fall silent" };
            self.kill(why);
        }
    }

    /// The player hangs.
    fn kill(&mut self, why: &str) {
        if let Some(player) = self.player.take() {
            let why = format!("the sound player {why} and was killed{}", player.last_words());
            player.kill();
            self.mourn(&NotHeard::Hung(why));
        }
    }

    /// The player is dead, or as good as dead when it does not take its `orders`.
    async fn bury(&mut self, orders: Option<String>) {
        if let Some(player) = self.player.take() {
            let how = player.end().await;
            let orders = orders.map(|why| format!(" (it took no orders: {why})")).unwrap_or_default();
            self.mourn(&NotHeard::Broken(format!("the sound player {how}{orders}")));
        }
    }

    fn mourn(&mut self, trouble: &NotHeard) {
        if let NotHeard::Broken(why) | NotHeard::Hung(why) = trouble {
            tracing::warn!(device = self.launch.device(), "{why}");
        }
        let now = Instant::now();
        self.pong = None;
        self.orders.player_died(trouble, now);
        self.refuse_probes(trouble);
        self.rest(now);
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let start = self.orders.need_a_player(now).then_some(self.next_start);
        let busy = self.orders.are_heard() || !self.probes.is_empty();
        let ping = busy.then(|| self.pong.map_or(self.next_ping, |(_, late)| late));
        let orders = self.orders.next_wake(now);
        [start, ping, orders].into_iter().flatten().min().unwrap_or(now + A_YEAR)
    }
}

/// Never, while there is no player.
async fn next_answer(player: &mut Option<Running>) -> Option<Answer> {
    match player {
        Some(player) => player.answer().await,
        None => pending().await,
    }
}

fn limited(request: Request) -> Request {
    Request { left: request.left.min(A_YEAR), ..request }
}

impl Shared {
    fn tell_over(&self, over: Over) {
        if let Some(desk) = self.desk(over.desk) {
            Desk::tell_over(&desk, over);
        }
    }
}
