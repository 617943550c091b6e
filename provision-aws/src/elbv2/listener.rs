//! `aws_lb_listener`: AWS refuses a second one on the port with other settings, and answers with the first one to the same
//! settings.

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Tree, Value};

use super::action::{self, Action};
use super::attributes::{self, Attribute, Holds};
use super::below::{Below, Floor};
use super::list::PAGE;
use super::load_balancer::LoadBalancerId;
use super::{Parameters, tags};
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What a load balancer takes in on a port, and what it does with it unless a
/// [`ListenerRule`](crate::ListenerRule) says otherwise.
///
/// Its id is its ARN. Certificates of clients are not offered.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, front: Ref<LoadBalancerId, D>, web: Ref<TargetGroupId, D>, next: Ref<TargetGroupId, D>) {
/// let plain = ListenerProtocol::Http;
/// b.put("plain", Listener { load_balancer: front, port: 80, protocol: plain, action: Action::redirect_to_https() });
///
/// let action = Action::weighted([(web, 95), (next, 5)]).sticky(600);
/// b.put("secure", Listener { load_balancer: front, port: 443, protocol: ListenerProtocol::Https, action })
///     .certificate("arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012")
///     .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06");
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_lb_listener", version = 1, check = check)]
pub struct Listener {
    /// The load balancer.
    #[attr(replace)]
    pub load_balancer: LoadBalancerId,
    /// The port, one listener each.
    pub port: i64,
    /// What clients talk: HTTP and HTTPS to application load balancers, the others to network ones.
    pub protocol: ListenerProtocol,
    /// What is done with what comes in, unless a rule says otherwise.
    #[attr(set)]
    pub action: Action,
    /// The ARN of the certificate that clients are shown. With HTTPS and TLS there is one.
    pub certificate: Option<String>,
    /// ARNs of further certificates, for clients that ask for other names. Each listener that sets it costs a refresh one
    /// read.
    #[attr(set)]
    pub additional_certificates: Option<Vec<String>>,
    /// Which versions and ciphers clients may use with TLS, by AWS' name; AWS has a default, which it changes.
    pub ssl_policy: Option<String>,
    /// Which protocols inside of TLS are offered to clients. Of TLS listeners alone.
    pub alpn_policy: Option<AlpnPolicy>,
    /// Seconds until a connection on which nothing happens is forgotten, 60 to 6000; AWS' default is 350. Of TCP listeners
    /// alone. Each listener that sets it costs a refresh one read.
    pub tcp_idle_timeout: Option<i64>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id, which is its ARN.
    #[attr(computed)]
    pub id: ListenerId,
}

choices! {
    /// What clients talk to a listener.
    ListenerProtocol {
        /// HTTP.
        Http = "HTTP",
        /// HTTP with TLS.
        Https = "HTTPS",
        /// TCP.
        Tcp = "TCP",
        /// TCP with TLS, which ends here.
        Tls = "TLS",
        /// UDP.
        Udp = "UDP",
        /// TCP and UDP.
        TcpUdp = "TCP_UDP",
    }
    /// Which protocols inside of TLS are offered to clients.
    AlpnPolicy {
        /// HTTP/1.1 alone.
        Http1Only = "HTTP1Only",
        /// HTTP/2 alone.
        Http2Only = "HTTP2Only",
        /// HTTP/1.1 before HTTP/2.
        Http2Optional = "HTTP2Optional",
        /// HTTP/2 before HTTP/1.1.
        Http2Preferred = "HTTP2Preferred",
        /// Nothing is said about it.
        None = "None",
    }
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    for (field, least, most) in [("port", 1, 65_535), ("tcp_idle_timeout", 60, 6000)] {
        if let Some(given) = inputs.int(field).filter(|given| !(least..=most).contains(given)) {
            problems.push((field, format!("AWS takes {least} to {most}, not {given}")));
        }
    }
    if let Some(arn) = inputs.text("certificate").filter(|arn| !arn.starts_with("arn:")) {
        problems.push(("certificate", format!("`{}` is no ARN of a certificate", arn.escape_debug())));
    }
    let Some(protocol) = inputs.text("protocol") else { return problems };
    let set = |field: &str| inputs.is_set(field);
    let secure = matches!(protocol, "HTTPS" | "TLS");
    if secure && !set("certificate") {
        problems.push(("certificate", format!("a listener for {protocol} has one: write `.certificate(arn)`")));
    }
    let with_tls: &[&str] = &["certificate", "additional_certificates", "ssl_policy"];
    for &field in with_tls.iter().filter(|field| !secure && set(field)) {
        problems.push((field, format!("goes with HTTPS and TLS; this listener is for {protocol}")));
    }
    for (field, right) in [("alpn_policy", "TLS"), ("tcp_idle_timeout", "TCP")] {
        if set(field) && protocol != right {
            problems.push((field, format!("goes with {right}; this listener is for {protocol}")));
        }
    }
    let answers = |item: &provision_core::dsl::Input| {
        item.as_map().is_some_and(|map| map.contains_key("redirect") || map.contains_key("respond"))
    };
    if !matches!(protocol, "HTTP" | "HTTPS") && inputs.list("action").is_some_and(|items| items.iter().any(answers)) {
        problems.push(("action", format!("only HTTP is redirected or answered; forward what comes by {protocol}")));
    }
    problems
}

apis! { aws_sdk_elasticloadbalancingv2 elbv2;
    CreateListener: NaturalKey, "takes no token; a port taken with other settings is DuplicateListener, with the same ones \
        the answer is the listener that is there, and its mark tells whose";
        (LoadBalancerArn, Port, Protocol, DefaultActions, Certificates, SslPolicy, AlpnPolicy, Tags) -> (Listeners);
    ModifyListener: Set, "sets properties to values, a list as a whole", ["DuplicateListener" => InUse];
        (ListenerArn, Port, Protocol, DefaultActions, Certificates, SslPolicy, AlpnPolicy) -> ();
    AddListenerCertificates: Set, "one that is there already is left as it is"; (ListenerArn, Certificates) -> ();
    RemoveListenerCertificates: Set, "removes what it names from the list"; (ListenerArn, Certificates) -> ();
    ModifyListenerAttributes: Set, "sets attributes to values"; (ListenerArn, Attributes) -> ();
    DeleteListener: Remove, "ARNs end in an id that is never used again"; (ListenerArn) -> ();
    DescribeListeners: Read, ""; (LoadBalancerArn, ListenerArns, Marker, PageSize) -> (Listeners, NextMarker);
    DescribeListenerCertificates: Read, ""; (ListenerArn, PageSize) -> (Certificates);
    DescribeListenerAttributes: Read, ""; (ListenerArn) -> (Attributes);
}
shapes! { aws_sdk_elasticloadbalancingv2;
    both Certificate(CertificateArn, IsDefault);
    both ListenerAttribute(Key, Value);
    shown Listener(ListenerArn, LoadBalancerArn, Port, Protocol, DefaultActions, Certificates, SslPolicy, AlpnPolicy);
}

pub(crate) static ROW: Row = Row {
    schema: Listener::SCHEMA,
    identity_key: &["load_balancer", "port"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateListener", id: &["Listeners", "ListenerArn"], outputs: &[] }],
    reading: &Below {
        schema: Listener::SCHEMA,
        floor: Floor::Listeners,
        parent: ("load_balancer", "load balancer"),
        parent_of: |arn| {
            let (before, after) = arn.split_once(":listener/")?;
            let (balancer, _listener) = after.rsplit_once('/')?;
            Some(format!("{before}:loadbalancer/{balancer}"))
        },
        answers_what_stood_there: true,
        observe,
        details: &[tags::TAGS, CERTIFICATES, SHOWN],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"load_balancer":"lb-1","port":443,"protocol":"TLS","action":[{"target_group":"tg-1","weight":1}],
            "certificate":"arn:1","additional_certificates":["arn:2","arn:3"],"ssl_policy":"ELBSecurityPolicy-2016-08",
            "alpn_policy":"HTTP2Optional","tcp_idle_timeout":100,"tags":{}}"#,
        changes: &[
            r#"{"port":8443}"#,
            r#"{"protocol":"HTTPS","certificate":"arn:9","ssl_policy":"ELBSecurityPolicy-TLS13-1-2-2021-06"}"#,
            r#"{"action":[{"target_group":"tg-1","weight":90},{"target_group":"tg-2","weight":10},{"sticky_seconds":60}]}"#,
            r#"{"action":[{"redirect":"HTTP_301","protocol":"HTTPS","port":"443","host":"a","path":"/","query":"q"}]}"#,
            r#"{"action":[{"respond":"404","content_type":"text/plain","body":"no"}]}"#,
            r#"{"additional_certificates":["arn:3","arn:4"]}"#,
            r#"{"additional_certificates":[],"alpn_policy":"None","tcp_idle_timeout":350}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

const MORE: &str = "additional_certificates";
const IDLE: &str = "tcp_idle_timeout";
const ATTRIBUTES: &[Attribute] = &[Attribute { field: IDLE, key: "tcp.idle_timeout.seconds", holds: Holds::Number }];
const MODIFY_ATTRIBUTES: (&str, &str) = ("ModifyListenerAttributes", "ListenerArn");

fn of_one(api: &'static str, ids: &[ObjectId], most: Option<i64>) -> Request {
    let arn = ids.first().map(|id| id.as_str().into());
    Request { api, parameters: parameters([("ListenerArn", arn), ("PageSize", most.map(Value::from))]) }
}

/// A listener has 25 certificates besides its own unless that quota is raised, so one page holds them:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
const CERTIFICATES: Detail = Detail {
    of: provider::Detail { name: "certificates", batch: 1, asked: Asked::Set(&[MORE]) },
    request: |ids| of_one("DescribeListenerCertificates", ids, Some(PAGE)),
    seen: |ids, answer| {
        let more = answer.list("Certificates").filter(|certificate| certificate.bool("IsDefault") != Some(true));
        let arns: Vec<&str> = more.filter_map(|certificate| certificate.text("CertificateArn")).collect();
        one(ids, field(MORE, Value::from(arns)))
    },
};

const SHOWN: Detail = Detail {
    of: provider::Detail { name: "attributes", batch: 1, asked: Asked::Set(&[IDLE]) },
    request: |ids| of_one("DescribeListenerAttributes", ids, None),
    seen: |ids, answer| one(ids, attributes::fields(ATTRIBUTES, &answer.pairs("Attributes"))),
};

fn one(ids: &[ObjectId], fields: Fields) -> Vec<Observed> {
    ids.iter().map(|id| detail(id, fields.clone())).collect()
}

/// Fields that the create and the modify call take, with their parameters.
const PROPERTIES: &[(&str, &str)] = &[
    ("port", "Port"),
    ("protocol", "Protocol"),
    ("action", "DefaultActions"),
    ("certificate", "Certificates"),
    ("ssl_policy", "SslPolicy"),
    ("alpn_policy", "AlpnPolicy"),
];

fn certificate(arn: &str) -> Part {
    Tree::List(vec![parts([("CertificateArn", arn.into())])])
}

/// A parameter that a field is.
fn parameter(name: &str, value: &Value) -> Result<Part, String> {
    let text = || value.as_text().ok_or_else(|| format!("the field `{name}` is a text"));
    Ok(match name {
        "action" => action::request(value.as_list().unwrap_or_default())
            .map_err(|problem| format!("the field `action`: {problem}"))?,
        "certificate" => certificate(text()?),
        "alpn_policy" => Tree::List(vec![text()?.into()]),
        _ => value.widen(),
    })
}

/// The properties that are set and that `of` names, as parameters and as fields.
fn properties(desired: Given<'_>, of: impl Fn(&str) -> bool) -> Result<(Parameters, Fields), String> {
    let (mut request, mut fields) = (Parameters::new(), Fields::new());
    for &(name, to) in PROPERTIES {
        if let Some(value) = desired.get(name).filter(|_| of(name)) {
            request.insert(to.to_owned(), parameter(name, value)?);
            fields.extend(field(name, value.clone()));
        }
    }
    Ok((request, fields))
}

/// New certificates come before old ones go. A call takes one.
fn certificates(calls: &mut Calls, id: &Part, have: &[&str], want: &[&str]) {
    let mut now = have.to_vec();
    let mut set = |api: &str, arn: &str, now: &[&str]| {
        let mut now = now.to_vec();
        now.sort_unstable();
        let request = parts([("ListenerArn", id.clone()), ("Certificates", certificate(arn))]);
        calls.set(api, request, field(MORE, Value::from(now)));
    };
    for &arn in want.iter().filter(|arn| !have.contains(arn)) {
        now.push(arn);
        set("AddListenerCertificates", arn, &now);
    }
    for &arn in have.iter().filter(|arn| !want.contains(arn)) {
        now.retain(|kept| *kept != arn);
        set("RemoveListenerCertificates", arn, &now);
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (balancer, port) = (desired.text("load_balancer")?, desired.int("port")?);
    let (tags, users) = tags::of_create(desired, mark)?;
    let (mut request, mut fields) = properties(desired, |_| true)?;
    request.extend([("LoadBalancerArn".to_owned(), balancer.into()), ("Tags".to_owned(), tags)]);
    let mut key = field("load_balancer", balancer);
    key.extend(field("port", port));
    fields.extend(key.clone());
    fields.extend(field("tags", users));
    let more = desired.texts(MORE)?;
    // None of them is known, too, where none is wanted.
    if desired.get(MORE).is_some() {
        fields.extend(field(MORE, Value::List(Vec::new())));
    }
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    let request = Part::Map(request);
    calls.create("CreateListener", request, Recovery::NaturalKey { key }, new, Wait::No);
    certificates(calls, &own_id(), &[], &more);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, own_id(), desired, |_, _| true)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = PROPERTIES.iter().map(|(name, _)| *name);
    update.only(&in_place.chain([MORE, IDLE, "tags"]).collect::<Vec<_>>())?;
    let id = known_id(update.id);
    let secure = |protocol: Option<&str>| matches!(protocol, Some("HTTPS" | "TLS"));
    // Without TLS AWS forgets the certificate and the policy: whoever goes back to it sends them again.
    let regains = update.changes("protocol")
        && secure(update.desired.optional_text("protocol")?)
        && !secure(update.observed.optional_text("protocol")?);
    let with_tls = |name: &str| regains && matches!(name, "certificate" | "ssl_policy" | "alpn_policy");
    let (mut request, fields) = properties(update.desired, |name| update.changes(name) || with_tls(name))?;
    if !request.is_empty() {
        request.insert("ListenerArn".to_owned(), id.clone());
        calls.set("ModifyListener", Part::Map(request), fields);
    }
    if update.changes(MORE) {
        certificates(calls, &id, &update.observed.texts(MORE)?, &update.desired.texts(MORE)?);
    }
    let changed = |attribute: &Attribute, _: &Value| update.changes(attribute.field);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, id, update.desired, changed)?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteListener", parts([("ListenerArn", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(listener: Shown<'_>) -> Option<Seen> {
    let certificate = listener.list("Certificates").next().and_then(|certificate| certificate.text("CertificateArn"));
    let alpn = listener.list("AlpnPolicy").next().and_then(Shown::as_text);
    let seen = Seen::new(Readiness::Ready)
        .with("load_balancer", listener.text("LoadBalancerArn"))
        .with("port", listener.int("Port"))
        .with("protocol", listener.text("Protocol"))
        .with("action", Some(action::observed(listener.list("DefaultActions"))))
        .with_or_null("certificate", certificate)
        .with_or_null("ssl_policy", listener.text("SslPolicy"))
        .with_or_null("alpn_policy", alpn);
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that asks for a name which is there before and after is never shown another certificate.
    #[test]
    fn new_certificates_come_before_old_ones_go() {
        let mut calls = Calls::new(&"aws_lb_listener".parse().unwrap());
        certificates(&mut calls, &own_id(), &["a", "b"], &["b", "c"]);
        let apis: Vec<_> = calls.done().into_iter().map(|call| call.api).collect();
        assert_eq!(apis, ["AddListenerCertificates", "RemoveListenerCertificates"]);
    }

    #[test]
    fn a_listener_that_goes_back_to_tls_is_told_its_certificate_again() {
        let fields = |json: &str| serde_json::from_str::<Fields>(json).unwrap();
        let (observed, desired) = (
            fields(r#"{"protocol":"HTTP"}"#),
            fields(r#"{"protocol":"HTTPS","certificate":"arn:1","ssl_policy":"p"}"#),
        );
        let mut calls = Calls::new(&"aws_lb_listener".parse().unwrap());
        let id = ObjectId::new("l-1").unwrap();
        let (observed, desired) = (Given(&observed), Given(&desired));
        let change = Update { id: &id, observed, carries: None, desired, changed: &["protocol"], mark: None };
        update(&mut calls, &change).unwrap();
        let request = calls.done().remove(0).request;
        let names: Vec<_> = request.as_map().unwrap().keys().cloned().collect();
        assert_eq!(names, ["Certificates", "ListenerArn", "Protocol", "SslPolicy"]);
    }
}
