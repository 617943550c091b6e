//! Whether traffic gets from one place to another, as the definitions have it: the question, and its answer.
//!
//! Whoever knows a cloud answers it ([`Provider::reach`](crate::provider::Provider::reach)), from what is written alone: no
//! network is asked, and what is known only later makes the answer a "may".
//!
//! ```
//! use provision_core::reach::{Place, Question, Verdict};
//!
//! let question: Question = Question::parse("internet", "us-east.db.main:5432")?;
//! assert_eq!(question.to, Place::Resource("us-east.db.main".parse()?));
//! assert_eq!(question.to_string(), "from 0.0.0.0/0 to us-east.db.main at tcp 5432");
//! assert!(Question::parse("10.0.0.0/8", "us-east.db.main").is_err(), "at which port?");
//! assert_eq!(Verdict::Yes.and(Verdict::May), Verdict::May);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;
use thiserror::Error;

use crate::desired::Location;
use crate::id::ResourceAddr;

/// Whether something is so, as far as what is written tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is not.
    No,
    /// It depends on what is not known.
    May,
    /// It is.
    Yes,
}

impl Verdict {
    /// Whether both are so.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Whether one of them is so.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<bool> for Verdict {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::No => "no",
            Self::May => "may",
            Self::Yes => "yes",
        })
    }
}

/// Where traffic comes from, or goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// What a resource has on the network: an instance, all of a group's, a balancer, anything in a subnet.
    Resource(ResourceAddr),
    /// Addresses outside: `0.0.0.0/0` is the whole internet.
    Net(IpNet),
}

impl Place {
    /// The internet: all addresses.
    pub fn internet() -> Self {
        Self::Net(IpNet::V4(Ipv4Net::default()))
    }

    fn parse(text: &str) -> Result<Self, BadQuestion> {
        if text == "internet" {
            return Ok(Self::internet());
        }
        let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match (net, text.parse()) {
            (Some(net), _) => Ok(Self::Net(net.trunc())),
            (None, Ok(addr)) => Ok(Self::Resource(addr)),
            (None, Err(_)) => Err(BadQuestion::Place { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(addr) => addr.fmt(f),
            Self::Net(net) => net.fmt(f),
        }
    }
}

/// What kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// TCP to a port.
    Tcp(u16),
    /// UDP to a port.
    Udp(u16),
    /// ICMP: a ping.
    Icmp,
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "tcp {port}"),
            Self::Udp(port) => write!(f, "udp {port}"),
            Self::Icmp => f.write_str("icmp"),
        }
    }
}

/// Does traffic get there?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// From here.
    pub from: Place,
    /// To there.
    pub to: Place,
    /// Traffic of this kind.
    pub traffic: Traffic,
}

impl Question {
    /// As people write it: `internet`, an address, a network or the address of a resource; after what it goes to a port, as
    /// in `us-east.db.main:5432`, `us-east.dns.main:53/udp` or `us-east.web.main:icmp`.
    ///
    /// # Errors
    /// What cannot be read, with what would be right.
    pub fn parse(from: &str, to: &str) -> Result<Self, BadQuestion> {
        // IPv6 addresses have colons of their own.
        let (place, port) = to.rsplit_once(':').ok_or_else(|| BadQuestion::NoPort { text: to.to_owned() })?;
        let bad = || BadQuestion::Port { text: port.to_owned() };
        let traffic = match port.split_once('/') {
            None if port == "icmp" => Traffic::Icmp,
            None | Some((_, "tcp")) => {
                Traffic::Tcp(port.trim_end_matches("/tcp").parse().ok().filter(|port| *port > 0).ok_or_else(bad)?)
            }
            Some((port, "udp")) => Traffic::Udp(port.parse().ok().filter(|port| *port > 0).ok_or_else(bad)?),
            Some(_) => return Err(bad()),
        };
        let place = place.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { from: Place::parse(from)?, to: Place::parse(place)?, traffic })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {} at {}", self.from, self.to, self.traffic)
    }
}

/// A question that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadQuestion {
    /// It does not say to which port.
    #[error("`{text}` names no port; write it behind a colon: `us-east.db.main:5432`, `…:53/udp` or `…:icmp`")]
    NoPort {
        /// What was given.
        text: String,
    },
    /// A port that is none.
    #[error("`{text}` is no port; write a number up to 65535, `53/udp` or `icmp`")]
    Port {
        /// What was given.
        text: String,
    },
    /// Neither an address nor a resource.
    #[error(
        "`{text}` is no place; write `internet`, a network such as `10.0.0.0/8`, or a resource: `us-east.web.main`"
    )]
    Place {
        /// What was given.
        text: String,
    },
}

/// What one rule, or the lack of one, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Whether it lets the traffic through.
    pub verdict: Verdict,
    /// Which it is, in words: `ingress of us-east.security.db: tcp 5432 from us-east.security.app`.
    pub because: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Whether the traffic gets there.
    pub verdict: Verdict,
    /// By which rules: of the way that comes furthest, if there are several.
    pub steps: Vec<Step>,
}

impl Reach {
    /// A way of these steps: all of them have to let the traffic through.
    pub fn by(steps: Vec<Step>) -> Self {
        let verdict = steps.iter().fold(Verdict::Yes, |verdict, step| verdict.and(step.verdict));
        Self { verdict, steps }
    }

    /// The ways together: one of them is enough. `None` if there are none.
    pub fn best(ways: impl IntoIterator<Item = Self>) -> Option<Self> {
        let passed = |way: &Self| way.steps.iter().filter(|step| step.verdict != Verdict::No).count();
        ways.into_iter().reduce(
            |best, way| {
                if (way.verdict, passed(&way)) > (best.verdict, passed(&best)) { way } else { best }
            },
        )
    }
}

/// What an infrastructure says must never be: [`Infrastructure::never`](crate::dsl::Infrastructure::never).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Never {
    /// What has to be answered with no.
    pub question: Question,
    /// Where it was said.
    pub location: Location,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// A place that is not in the code.
    #[error("{addr} is not in the code")]
    Unknown {
        /// The place.
        addr: ResourceAddr,
    },
    /// A resource that has nothing on the network.
    #[error("{addr} is a {type_name}, which has no place on the network; ask about {instead}")]
    NoPlace {
        /// The resource.
        addr: ResourceAddr,
        /// Its type.
        type_name: String,
        /// What can be asked about.
        instead: &'static str,
    },
    /// Nobody knows this cloud well enough, or both ends lie outside.
    #[error("nothing answers that: {reason}")]
    Nobody {
        /// Why not.
        reason: String,
    },
}
