//! A drift report as text: counts for each data centre, then everything that is not as it was applied.

use std::fmt::Write as _;

use provision_core::drift::{
    DcDrift, DriftReport, Drifted, FieldDrift, MarkDrift, ObjectAt, Unfinished, UnfinishedWhat, Unread, Verdict,
};
use provision_core::id::DcName;

use super::plain;
use super::plan::expr;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};

/// Prints it; what could not be read goes to standard error.
pub(crate) fn show(report: &DriftReport) {
    super::line(text(report).trim_end());
    for problem in problems(report) {
        super::error(&problem);
    }
}

/// All but what could not be read.
pub(crate) fn text(report: &DriftReport) -> String {
    let mut out = String::new();
    for (name, dc) in &report.dcs {
        data_centre(&mut out, name, dc);
    }
    out.push_str(&summary(report));
    out
}

fn push(out: &mut String, indent: usize, line: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{:indent$}{line}", "").unwrap_or_default();
}

fn data_centre(out: &mut String, name: &DcName, dc: &DcDrift) {
    let env = dc.env.as_ref().map(|env| format!("{env}, ")).unwrap_or_default();
    let counts = [
        (dc.drifted.len(), "drifted"),
        (dc.missing.len(), "missing"),
        (dc.unknown.len(), "not known"),
        (dc.unmanaged.len(), "unmanaged"),
        (dc.unfinished.len(), "unfinished"),
        (dc.damaged.len(), if dc.damaged.len() == 1 { "damaged log" } else { "damaged logs" }),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let counts: String = counts.collect();
    push(
        out,
        0,
        &format!(
            "{BOLD}{name}{BOLD:#}  {DIM}{env}{} recorded, {} as applied{counts}{DIM:#}",
            objects(dc.resources),
            dc.as_applied
        ),
    );
    let before = out.len();
    for (addr, drifted) in &dc.drifted {
        let Drifted { object, fields, mark, failed } = drifted;
        push(out, 2, &format!("{YELLOW}~{YELLOW:#} {addr}  {DIM}{}{DIM:#}", at(object)));
        fields.iter().for_each(|field| push(out, 6, &self::field(field)));
        mark.iter().for_each(|mark| push(out, 6, &self::mark(mark)));
        failed.iter().for_each(|why| push(out, 6, &plain(why)));
    }
    for (addr, object) in &dc.missing {
        push(out, 2, &format!("{RED}-{RED:#} {addr}  {DIM}{}{DIM:#}  is no longer there", at(object)));
    }
    for unmanaged in &dc.unmanaged {
        let object = at(&unmanaged.object);
        let address = &unmanaged.address;
        push(out, 2, &format!("{YELLOW}?{YELLOW:#} {object} carries the mark of {address}, but no log knows it"));
    }
    for unfinished in &dc.unfinished {
        push(
            out,
            2,
            &format!("{DIM}unfinished:{DIM:#} {}", self::unfinished(&unfinished.block.to_string(), &unfinished.what)),
        );
    }
    if out.len() > before {
        out.push('\n');
    }
}

fn objects(count: usize) -> String {
    format!("{count} {}", if count == 1 { "object" } else { "objects" })
}

fn at(object: &ObjectAt) -> String {
    format!("{} {}", object.type_name, object.id)
}

fn field(field: &FieldDrift) -> String {
    let is = field.observed.as_ref().map_or_else(|| "(not set)".to_owned(), |value| expr(&value.widen()));
    format!("{}  {} -> {is}", field.field, expr(&field.applied.widen()))
}

fn mark(mark: &MarkDrift) -> String {
    match &mark.observed {
        None => "its ownership mark was taken off".to_owned(),
        Some(is) if is.infra != mark.recorded.infra => {
            format!("its ownership mark is that of infrastructure `{}`", is.infra)
        }
        Some(is) if is.address != mark.recorded.address => {
            format!("its ownership mark is that of {}", is.address)
        }
        Some(_) => "its ownership mark is that of another object of the same address".to_owned(),
    }
}

fn unfinished(block: &str, what: &UnfinishedWhat) -> String {
    match what {
        UnfinishedWhat::Claimed { run, holder } => {
            format!("{block} is claimed by {} (run {})", plain(holder), run.short())
        }
        UnfinishedWhat::OpenCall { resource, api } => {
            format!("{resource}: whether {} landed is not recorded", plain(api))
        }
        UnfinishedWhat::DeleteDue { resource, object } => {
            format!("{resource}: {} was replaced and is still to be deleted", at(object))
        }
        UnfinishedWhat::Moving { resource, to, object } => {
            format!("{resource}: {} was on its way to {to}", at(object))
        }
        UnfinishedWhat::MarkDue { resource, carries } => {
            format!("{resource}: its ownership mark still names {carries}")
        }
        UnfinishedWhat::HalfApplied { resource, fields } if fields.is_empty() => {
            format!("{resource}: a run was cut off before it was as defined")
        }
        UnfinishedWhat::HalfApplied { resource, fields } => {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            format!("{resource}: a run changed {} and was cut off before all of it was as defined", fields.join(", "))
        }
    }
}

/// Everything about which nothing is known, and why.
pub(crate) fn problems(report: &DriftReport) -> Vec<String> {
    let unread = report.unread.iter().map(|Unread { target, type_name, why }| match type_name {
        Some(type_name) => format!("the {type_name} objects of {target} can't be read: {}", plain(why)),
        None => format!("{target} can't be used: {}", plain(why)),
    });
    let unknown = report.dcs.values().flat_map(|dc| &dc.unknown).map(|(addr, unknown)| {
        format!("{addr}: whether {} is as it was applied is not known: {}", at(&unknown.object), plain(&unknown.why))
    });
    let damaged = report.dcs.values().flat_map(|dc| &dc.damaged);
    let damaged = damaged.map(|(block, why)| format!("{block}: nothing is known about it: {}", plain(why)));
    unread.chain(unknown).chain(damaged).collect()
}

fn summary(report: &DriftReport) -> String {
    let count = |of: fn(&DcDrift) -> usize| report.dcs.values().map(of).sum::<usize>();
    let (drifted, missing) = (count(|dc| dc.drifted.len()), count(|dc| dc.missing.len()));
    let unmanaged = count(|dc| dc.unmanaged.len());
    let drift = format!("{BOLD}Drift:{BOLD:#} {drifted} changed, {missing} missing, {unmanaged} unmanaged");
    match report.verdict() {
        Verdict::None if report.dcs.is_empty() => "Nothing is recorded, so nothing can have drifted.".to_owned(),
        Verdict::None => {
            let are = count(|dc| dc.as_applied);
            let are = if are == 1 {
                "1 object is as it was applied".to_owned()
            } else {
                format!("{are} objects are as they were applied")
            };
            // Who holds a block, or died while it did, may have left nothing to do.
            let begun = |it: &&Unfinished| !matches!(it.what, UnfinishedWhat::Claimed { .. });
            let unfinished: usize = report.dcs.values().map(|dc| dc.unfinished.iter().filter(begun).count()).sum();
            let rest = if unfinished == 0 { "" } else { "; what is unfinished, the next apply goes on with" };
            format!("{GREEN}No drift.{GREEN:#} {are}{rest}.")
        }
        Verdict::Drift => format!("{drift}."),
        Verdict::NotKnown => format!("{drift}. {RED}Not everything could be read, so there may be more.{RED:#}"),
    }
}
