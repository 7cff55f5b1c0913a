//! Files that go along with a message: taken, carried by the channels that can, told of by the others.

use super::asked::Upload;
use super::refusal::{Code, Refusal};
use super::state::{Content, Delivery, Notification};
use super::turn::{Turn, refuse};
use crate::channel::{Enclosed, Format};
use crate::config::ChannelConfig;
use crate::domain::delivery::Status;
use crate::domain::event::{Attachment, Blob, Carriage, Place, Rendered};
use crate::message::attachment::{Elsewhere, Enclosure, Enclosures, clean_name};
use std::collections::BTreeSet;

/// Files of one message, and bytes of one file.
const FILES: usize = 20;
const EACH: u64 = 10 << 20;

impl Turn<'_> {
    /// # Errors
    /// Too many, or too large.
    pub fn check_attachments(&self, given: &[Upload]) -> Result<(), Refusal> {
        if given.len() > FILES {
            let words = format!("{} attachments; at most {FILES} go along with a message", given.len());
            return refuse(Refusal::field("attachments", words));
        }
        let most = self.config.daemon.attachments;
        let too_large = |field: String, words: String| {
            refuse(Refusal { field: Some(field), ..Refusal::new(Code::TooLarge, words) })
        };
        for (n, one) in given.iter().enumerate() {
            let (bytes, most) = (one.content_base64.bytes.len() as u64, EACH.min(most));
            if bytes > most {
                let words = format!("{:?} has {bytes} bytes; one attachment has at most {most}", one.name);
                return too_large(format!("attachments[{n}]"), words);
            }
        }
        let all: u64 = given.iter().map(|one| one.content_base64.bytes.len() as u64).sum();
        if all > most {
            let words = format!("all attachments have {all} bytes; those of one message have at most {most}");
            return too_large("attachments".to_owned(), words);
        }
        Ok(())
    }

    /// For the event that comes next, which brings them.
    pub fn take_attachments(&mut self, given: Vec<Upload>) -> Vec<Attachment> {
        let seq = self.state.last_seq + 1;
        let mut names = BTreeSet::new();
        let mut attachments = Vec::with_capacity(given.len());
        for Upload { name, content_base64: content } in given {
            let name = another(&clean_name(&name), &mut names);
            let place = Place { seq: 0, bytes: content.bytes.len() as u64, blob: Some(content.hash.clone()) };
            attachments.push(Attachment { name, mime: content.mime.to_owned(), place });
            if !self.blobs.iter().any(|blob| blob.hash == content.hash) {
                self.blobs.push(Blob { seq, hash: content.hash, bytes: content.bytes });
            }
        }
        attachments
    }

    /// How the files of a message go by this channel.
    pub fn enclosures<'n>(&self, n: &'n Notification, channel: &ChannelConfig) -> Enclosures<'n> {
        let content = &n.content;
        if content.attachments.is_empty() {
            return Enclosures::default();
        }
        let carried = carries(channel, content);
        let http = self.config.http.as_ref();
        let public = http.and_then(|http| Some((http.public_url.as_deref()?, http.attachments_for)));
        let link = |file: &Attachment| {
            let (public, lasts) = public?;
            Some(self.agenda.links.as_ref()?.to(public, file, (self.wall + lasts).0.div_euclid(1_000_000)))
        };
        let files: Vec<_> = content.attachments.iter().map(|file| Enclosure { file, link: link(file) }).collect();
        let too_large_for = channel.adapter.attaches().filter(|_| !carried).map(|bytes| bytes >> 20);
        let linked = files.iter().all(|file| file.link.is_some());
        let elsewhere = (channel.format() == Format::Speech).then(|| self.elsewhere(n, linked)).flatten();
        Enclosures { files, carried, too_large_for, elsewhere }
    }

    /// Which other message has these files, for somebody who only hears of them.
    fn elsewhere(&self, n: &Notification, linked: bool) -> Option<Elsewhere> {
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let others = incident.into_iter().flat_map(|i| &i.notifications).filter(|id| **id != n.id);
        let others = others.filter_map(|id| self.state.notifications.get(id)).filter(|n| !n.origin.is_notice());
        let deliveries = std::iter::once(n).chain(others).flat_map(|n| &n.deliveries);
        let deliveries = deliveries.filter_map(|id| self.state.deliveries.get(id));
        let ways =
            deliveries.filter(|d| d.status != Status::Skipped).filter_map(|d| self.config.channels.get(d.channel()));
        let ways: Vec<&ChannelConfig> = ways.collect();
        let written = |c: &&ChannelConfig| !matches!(c.format(), Format::None | Format::Speech);
        match () {
            () if ways.iter().any(|c| carries(c, &n.content)) => Some(Elsewhere::Mail),
            () if linked && ways.iter().any(written) => Some(Elsewhere::Link),
            () => None,
        }
    }

    /// How the files go with an attempt that says this, for the record.
    pub fn carriage(&self, d: &Delivery, channel: &ChannelConfig, text: &Rendered) -> Option<Carriage> {
        let n = self.state.notifications.get(&d.notification)?;
        self.enclosures(n, channel).go_with(&text.text)
    }

    /// The files themselves; what has just been given is at hand.
    pub fn enclosed(&self, d: &Delivery, channel: &ChannelConfig) -> Vec<Enclosed> {
        let content = self.state.notifications.get(&d.notification).map(|n| &n.content);
        let Some(content) = content.filter(|content| carries(channel, content)) else { return Vec::new() };
        let at_hand = |place: &Place| self.blobs.iter().find(|blob| Some(&blob.hash) == place.blob.as_ref());
        let one = |file: &Attachment| Enclosed {
            name: file.name.clone(),
            mime: file.mime.clone(),
            place: file.place.clone(),
            bytes: at_hand(&file.place).map(|blob| blob.bytes.clone()),
        };
        content.attachments.iter().map(one).collect()
    }

    /// Under which a text of this delivery is kept: one that says where the files are is no text for a
    /// channel that carries them, and one that says that it may be a `repeat` none for a first attempt.
    pub fn text_key(&self, d: &Delivery, channel: &ChannelConfig, repeat: bool) -> String {
        let key = self.form_key(d, channel, repeat);
        let content = self.state.notifications.get(&d.notification).map(|n| &n.content);
        match content.is_some_and(|content| carries(channel, content)) {
            true => format!("{key} with files"),
            false => key,
        }
    }
}

fn carries(channel: &ChannelConfig, content: &Content) -> bool {
    let takes = || channel.adapter.attaches().is_some_and(|most| content.attached_bytes() <= most);
    !content.attachments.is_empty() && takes()
}

/// `a.pdf`, and of two `a-2.pdf`.
fn another(name: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = |n: usize| match name.rsplit_once('.') {
        Some((stem, end)) => format!("{stem}-{n}.{end}"),
        None => format!("{name}-{n}"),
    };
    let free = std::iter::once(name.to_owned()).chain((2..).map(numbered)).find(|name| !names.contains(name));
    let name = free.unwrap_or_default();
    names.insert(name.clone());
    name
}
