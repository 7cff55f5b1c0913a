//! The loop of `--serve`: one thread reads what is asked, the other feeds the device and answers.

use crate::channel::sound::player::{BAD, GOOD, Room};
use crate::channel::sound::protocol::{Answer, Ask};
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// Serves until the input ends; returns the exit code.
pub(super) fn serve(mut room: Room) -> u8 {
    let asked = read_in_the_background();
    loop {
        let answers = match next(&asked, room.is_silent()) {
            Next::Asked(ask) => room.hear(ask),
            Next::Nothing => room.step(),
            Next::End => return GOOD,
        };
        if say(&answers).is_err() {
            // stentord is gone, and with it whoever could stop this sound.
            return BAD;
        }
    }
}

enum Next {
    Asked(Ask),
    Nothing,
    End,
}

/// While it is silent there is nothing to do but to wait.
fn next(asked: &Receiver<Ask>, silent: bool) -> Next {
    if silent {
        return asked.recv().map_or(Next::End, Next::Asked);
    }
    match asked.try_recv() {
        Ok(ask) => Next::Asked(ask),
        Err(TryRecvError::Empty) => Next::Nothing,
        Err(TryRecvError::Disconnected) => Next::End,
    }
}

fn read_in_the_background() -> Receiver<Ask> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            match serde_json::from_str(&line) {
                Ok(ask) => {
                    if to.send(ask).is_err() {
                        return;
                    }
                }
                Err(e) => {
                    let _ = writeln!(io::stderr(), "not a request: {e}");
                }
            }
        }
    });
    from
}

fn say(answers: &[Answer]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for answer in answers {
        serde_json::to_writer(&mut out, answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
