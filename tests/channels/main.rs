//! Every channel against stand-ins that behave, and misbehave, like the providers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../examples/standins/mod.rs"]
mod standins;

#[path = "../../examples/one_channel.rs"]
#[allow(dead_code, reason = "its main is not run here")]
mod one_channel;

mod azure;
mod callbacks;
mod command;
mod discord;
mod email_sms;
mod http_sms;
mod mail;
mod net;
mod ntfy;
mod oauth;
mod pagerduty;
mod secrets;
mod sendgrid;
mod settings;
mod simulated;
mod simulated_wires;
mod slack;
mod slack_web;
mod sns;
mod socket;
mod support;
mod teams;
mod telnyx;
mod toxic;
mod twilio;
mod webhook;
mod websocket;
mod wild;
