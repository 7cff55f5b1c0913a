//! Channels written as Apprise writes them: one URL that stands for a kind and its settings.
//!
//! The URL is only taken apart here; the settings that come out are read by the kind as if somebody had written
//! them. What a URL says that this way out cannot do is an error, never passed over. Parts may be percent-encoded.
//! No error repeats anything of the URL but its scheme, the names of its parameters, and what it lacks.

use crate::net::percent;
use crate::settings::Piece;

/// The schemes, for hints.
const SCHEMES: &str = "mailto(s), twilio, sns, slack, discord, workflows, pagerduty, sendgrid, ntfy(s), json(s)";

type Settings = Vec<(&'static str, Piece)>;

/// The settings that a URL stands for, `kind` among them.
///
/// # Errors
/// What is wrong with it, and after `; ` what would be right.
pub fn settings(url: &str) -> Result<Settings, String> {
    let mut url = Url::parse(url)?;
    let mut settings = url.common()?;
    let (form, own) = match url.scheme.as_str() {
        "mailto" | "mailtos" => ("mailto://USER:PASSWORD@HOST", url.mail()),
        "twilio" => ("twilio://SID:TOKEN@FROM/TO", url.twilio()),
        "sns" => ("sns://KEY/SECRET/REGION/TO", url.sns()),
        "slack" => ("slack://A/B/C, or slack://xoxb-.../#channel", url.slack()),
        "discord" => ("discord://ID/TOKEN", url.discord()),
        "workflows" => ("workflows://HOST/WORKFLOW/SIGNATURE", url.workflows()),
        "pagerduty" => ("pagerduty://INTEGRATION@APIKEY", url.pagerduty()),
        "sendgrid" => ("sendgrid://KEY:FROM/TO", url.sendgrid()),
        "ntfy" | "ntfys" => ("ntfys://HOST/TOPIC", url.ntfy()),
        "json" | "jsons" => ("jsons://HOST/PATH", url.json()),
        other => return Err(format!("there is no way out for {other:?}; it can be {SCHEMES}")),
    };
    settings.extend(own.map_err(|lack| format!("{lack}; write {form}"))?);
    match url.query.first() {
        None => Ok(settings),
        Some((name, _)) => Err(format!("the parameter {name:?} means nothing here; leave it out")),
    }
}

/// A URL in its parts, decoded; what is read of the query is taken out of it.
struct Url {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    path: Vec<String>,
    query: Vec<(String, String)>,
    fragment: Option<String>,
}

impl Url {
    fn parse(text: &str) -> Result<Url, String> {
        let no_url = || format!("this is not a URL; write for example \"slack://A/B/C\", it can be {SCHEMES}");
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(no_url)?;
        let (rest, fragment) = cut(rest, '#');
        let (rest, query) = cut(rest, '?');
        let (authority, path) = cut(rest, '/');
        let (userinfo, place) = authority.rsplit_once('@').map_or((None, authority), |(u, p)| (Some(u), p));
        let (user, password) = userinfo.map_or((None, None), |u| {
            let (user, password) = cut(u, ':');
            (Some(user), password)
        });
        let port = place.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.map_or((place, None), |(host, port)| (host, Some(port)));
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            user: user.map(percent::decoded),
            password: password.map(percent::decoded),
            host: percent::decoded(host),
            port,
            path: path.unwrap_or_default().split('/').filter(|part| !part.is_empty()).map(percent::decoded).collect(),
            query: pairs
                .map(|pair| cut(pair, '='))
                .map(|(n, v)| (percent::decoded(n), percent::decoded(v.unwrap_or_default())))
                .collect(),
            fragment: fragment.map(percent::decoded),
        })
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.query.iter().position(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(self.query.remove(at).1).filter(|value| !value.is_empty())
    }

    /// `verify`, `cto` and `rto`, which every URL may have.
    fn common(&mut self) -> Result<Settings, String> {
        if self.take("verify").is_some_and(|v| !["yes", "true", "1"].contains(&v.to_ascii_lowercase().as_str())) {
            return Err("certificates are always verified; leave verify out, and name your own CA in ca_file".into());
        }
        // To connect has its own deadline, within that of the whole.
        self.take("cto");
        match self.take("rto").map(|rto| rto.parse::<f64>()) {
            None => Ok(Vec::new()),
            Some(Ok(seconds)) if (0.1..=3_600.0).contains(&seconds) => {
                Ok(vec![text("timeout", format!("{}ms", (seconds * 1_000.0).round()))])
            }
            Some(_) => Err("rto is no time; write seconds, such as rto=10".into()),
        }
    }

    fn part(&self, n: usize, name: &str) -> Result<String, String> {
        self.path.get(n).cloned().ok_or_else(|| format!("{name} is missing"))
    }

    fn host(&self, name: &str) -> Result<String, String> {
        if self.host.is_empty() { Err(format!("{name} is missing")) } else { Ok(self.host.clone()) }
    }

    fn user(&self, name: &str) -> Result<String, String> {
        self.user.clone().filter(|user| !user.is_empty()).ok_or_else(|| format!("{name} is missing"))
    }

    fn secret(&self, name: &str) -> Result<String, String> {
        self.password.clone().filter(|word| !word.is_empty()).ok_or_else(|| format!("{name} is missing"))
    }

    /// Whom the rest of the path names.
    fn to(&self, from: usize) -> Settings {
        let to: Vec<String> = self.path.iter().skip(from).cloned().collect();
        if to.is_empty() { Vec::new() } else { vec![("to", Piece::Texts(to))] }
    }

    /// `https://host:port`, `http` without the last letter of the scheme.
    fn place(&self, plain: &str) -> Result<String, String> {
        let scheme = if self.scheme == plain { "http" } else { "https" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(format!("{scheme}://{}{port}", self.host("HOST")?))
    }

    fn mail(&mut self) -> Result<Settings, String> {
        let host = self.host("HOST")?;
        let mode =
            self.take("mode").unwrap_or_else(|| if self.scheme == "mailtos" { "starttls" } else { "insecure" }.into());
        let (tls, usual) = match mode.as_str() {
            "starttls" => ("starttls", 587),
            "ssl" => ("implicit", 465),
            "insecure" => ("none", 25),
            _ => return Err("mode is neither starttls, ssl nor insecure".into()),
        };
        let user = self.user.clone();
        let own = user.as_ref().map(|user| if user.contains('@') { user.clone() } else { format!("{user}@{host}") });
        let from = self.take("from").or(own.clone()).ok_or("who it is from is missing")?;
        let to: Vec<String> = match self.take("to") {
            Some(to) => to.split(',').map(|to| to.trim().to_owned()).collect(),
            None if !self.path.is_empty() => self.path.clone(),
            None => own.into_iter().collect(),
        };
        let server = self.take("smtp").unwrap_or(host);
        let mut settings = vec![
            text("kind", "smtp"),
            text("host", server),
            text("port", self.port.unwrap_or(usual).to_string()),
            text("tls", tls),
            text("from", from),
            ("to", Piece::Texts(to)),
        ];
        if let (Some(user), Some(password)) = (user, self.password.clone()) {
            settings.extend([text("username", user), text("password", password)]);
        }
        Ok(settings)
    }

    fn twilio(&self) -> Result<Settings, String> {
        let mut settings = vec![
            text("kind", "twilio-sms"),
            text("account_sid", self.user("SID")?),
            text("auth_token", self.secret("TOKEN")?),
            text("from", number(&self.host("FROM")?)),
        ];
        settings.extend(self.numbers(0));
        Ok(settings)
    }

    fn numbers(&self, from: usize) -> Settings {
        let to: Vec<String> = self.path.iter().skip(from).map(|to| number(to)).collect();
        if to.is_empty() { Vec::new() } else { vec![("to", Piece::Texts(to))] }
    }

    /// A secret key may have slashes; the region tells where it ends.
    fn sns(&self) -> Result<Settings, String> {
        let region =
            self.path.iter().position(|part| is_region(part)).filter(|at| *at > 0).ok_or("REGION is missing")?;
        let mut settings = vec![
            text("kind", "aws-sns"),
            text("access_key_id", self.host("KEY")?),
            text("secret_access_key", self.path[..region].join("/")),
            text("region", self.path[region].clone()),
        ];
        settings.extend(self.numbers(region + 1));
        Ok(settings)
    }

    fn slack(&self) -> Result<Settings, String> {
        let first = self.host("A")?;
        let channel = self.fragment.clone().filter(|name| !name.is_empty());
        if first.starts_with("xox") {
            let channel = channel.map(|name| format!("#{name}")).or_else(|| self.path.first().cloned());
            let channel = channel.ok_or("the channel is missing")?;
            return Ok(vec![text("kind", "slack"), text("token", first), text("channel", channel)]);
        }
        if channel.is_some() {
            return Err("a webhook of Slack posts to its own channel: leave #channel out".into());
        }
        let url = format!("https://hooks.slack.com/services/{first}/{}/{}", self.part(0, "B")?, self.part(1, "C")?);
        Ok(vec![text("kind", "slack"), text("webhook_url", url)])
    }

    fn discord(&self) -> Result<Settings, String> {
        let url = format!("https://discord.com/api/webhooks/{}/{}", self.host("ID")?, self.part(0, "TOKEN")?);
        let mut settings = vec![text("kind", "discord"), text("webhook_url", url)];
        settings.extend(self.user.clone().map(|name| text("username", name)));
        Ok(settings)
    }

    fn workflows(&self) -> Result<Settings, String> {
        let port = self.port.unwrap_or(443);
        let (workflow, signature) = (self.part(0, "WORKFLOW")?, self.part(1, "SIGNATURE")?);
        let url = format!(
            "https://{}:{port}/workflows/{workflow}/triggers/manual/paths/invoke\
             ?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={signature}",
            self.host("HOST")?
        );
        Ok(vec![text("kind", "teams"), text("webhook_url", url)])
    }

    /// The key of the API, the source and the component are nothing that events need.
    fn pagerduty(&self) -> Result<Settings, String> {
        Ok(vec![text("kind", "pagerduty"), text("routing_key", self.user("INTEGRATION")?)])
    }

    fn sendgrid(&self) -> Result<Settings, String> {
        let from = format!("{}@{}", self.secret("FROM")?, self.host("the domain of FROM")?);
        let mut settings = vec![text("kind", "sendgrid"), text("api_key", self.user("KEY")?), text("from", from)];
        settings.extend(self.to(0));
        Ok(settings)
    }

    fn ntfy(&self) -> Result<Settings, String> {
        // A topic alone is one of the public server.
        let (topic, base) = match self.path.first() {
            Some(topic) => (topic.clone(), Some(self.place("ntfy")?)),
            None => (self.host("TOPIC")?, None),
        };
        let mut settings = vec![text("kind", "ntfy"), text("topic", topic)];
        settings.extend(base.map(|base| text("base_url", base)));
        if let (Some(user), Some(password)) = (self.user.clone(), self.password.clone()) {
            settings.extend([text("username", user), text("password", password)]);
        }
        Ok(settings)
    }

    fn json(&self) -> Result<Settings, String> {
        let url = format!("{}/{}", self.place("json")?, self.path.join("/"));
        let mut settings = vec![text("kind", "webhook"), text("url", url)];
        if let (Some(user), Some(password)) = (self.user.clone(), self.password.clone()) {
            settings.push(("auth", Piece::Table(vec![("username", user), ("password", password)])));
        }
        Ok(settings)
    }
}

fn text(key: &'static str, value: impl Into<String>) -> (&'static str, Piece) {
    (key, Piece::Text(value.into()))
}

/// Apprise writes numbers without their plus.
fn number(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("+{text}") } else { text.to_owned() }
}

fn is_region(part: &str) -> bool {
    let words: Vec<&str> = part.split('-').collect();
    words.len() >= 3
        && words[0].len() == 2
        && words.last().is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}
