//! People, and how they wish not to be told.

use crate::domain::delivery::Medium;
use crate::domain::level::Level;
use crate::domain::window::Window;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: String,
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub login: Option<String>,
    pub tier: Option<String>,
    pub timezone: Option<TimeZone>,
    /// The carrier gateway of this person's number, for email-sms.
    pub sms_domain: Option<String>,
    pub preferences: Preferences,
}

impl Person {
    pub fn address(&self, medium: Medium) -> Option<&str> {
        match medium {
            Medium::Mail => self.email.as_deref(),
            Medium::Sms | Medium::Voice => self.phone.as_deref(),
        }
    }
}

/// A person's wish not to be told in some way.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// By medium: off, or only these types. Not named: everything.
    pub media: BTreeMap<Medium, Wanted>,
    pub quiet: Option<Quiet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Off,
    Types(Vec<String>),
}

/// No sms and no call in these hours under this level, unless on call at that moment.
#[derive(Clone, Debug)]
pub struct Quiet {
    pub hours: Vec<Window>,
    pub until: Level,
}
