//! What came in.

use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::Notify;

/// One request, one mail, or one SMTP session.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Recorded {
    pub service: String,
    /// HTTP's method; `MAIL` or `SESSION` for SMTP.
    pub method: String,
    /// HTTP's path and query; the recipients of a mail.
    pub path: String,
    /// Names in lower case; of a mail: `from` (the envelope's), `user`, `tls`.
    pub headers: BTreeMap<String, String>,
    /// Body of a request, source of a mail, the verbs of a session.
    pub body: String,
    /// The fields of a form; the last one of a name.
    pub form: BTreeMap<String, String>,
    /// What was answered; 0 when nothing was.
    pub status: u16,
}

#[derive(Debug, Default)]
pub struct Log {
    entries: Mutex<Vec<Recorded>>,
    news: Notify,
}

impl Log {
    pub fn add(&self, entry: Recorded) {
        self.entries.lock().unwrap().push(entry);
        self.news.notify_waiters();
    }

    pub fn all(&self) -> Vec<Recorded> {
        self.entries.lock().unwrap().clone()
    }

    /// SMTP sessions are asked for as `smtp-session`, all else by the service's name.
    pub fn of(&self, service: &str) -> Vec<Recorded> {
        let mut entries = self.all();
        entries.retain(|e| e.service == service);
        entries
    }

    pub fn clear(&self) {
        self.entries.lock().unwrap().clear();
    }

    pub async fn wait_for(&self, service: &str, count: usize) {
        loop {
            let news = self.news.notified();
            if self.of(service).len() >= count {
                return;
            }
            // A notice between the look and the wait is not lost: `news` was made before.
            news.await;
        }
    }
}
