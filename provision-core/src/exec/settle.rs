//! Finding out about a call whose answer is missing: in the run that sent it, or in a later one.
//!
//! # Guarantees
//! - What is found is believed at once. "Not landed" is believed only when the server's clock, read from an answer of
//!   the same endpoint, is past the call's last instant and the visibility bound, and two reads after that showed nothing.
//! - A request is only ever repeated as the intent recorded it, with the same stamp, and only where the API itself
//!   rules out a second effect. The log says that it was repeated, and until the first one can no longer arrive nothing
//!   happens to the object that it could undo.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::attempt::{stamped_anew, with_text};
use super::context::{ActionError, Again, Exec, backoff};
use super::looking::{computed, outputs_of};
use crate::call::{
    Answer, Effect, Mark, Observed, Readiness, ReadyCall, Recovery, Refusal, Scope, Sending, ServerTime,
    token_outlasts_request,
};
use crate::id::{ObjectId, ResourceAddr};
use crate::mutant::{self, Mutant};
use crate::progress::Progress;
use crate::schema::{Reads, Schema};
use crate::stream::event::{Intent, Landed};
use crate::value::{Fields, Value};

/// What was found out about a call.
#[derive(Debug)]
pub(super) enum Settled {
    /// It landed.
    Landed {
        /// The id of the object, where the call created it.
        id: Option<ObjectId>,
        /// Computed fields, as far as they were seen.
        outputs: Fields,
        /// How it is known.
        how: Landed,
    },
    /// It did not, and no longer can.
    NotLanded,
}

/// What one look shows.
enum Look {
    Landed(Settled),
    /// No sign of it yet, by the server's clock.
    NoSign(Option<ServerTime>),
}

/// How often the recorded request is repeated before only looking goes on.
const RESENDS: u32 = 3;

impl Exec {
    /// Finds out whether the call landed. With `sending`, this run sent it and may repeat it while its stamp is good.
    pub(super) async fn settle(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        sending: Option<&Sending>,
    ) -> Result<Settled, ActionError> {
        // A removal needs no time to become visible: what the look shows is the object itself.
        let mut not_before = match &intent.call.effect {
            _ if mutant::on(Mutant::NoWaitForVisibility) => intent.last_instant,
            Effect::Remove => intent.last_instant,
            Effect::Create { .. } | Effect::Set { .. } => self.settled_after(&intent.target, intent.last_instant)?,
        };
        let visibility = self.bounds(&intent.target)?.visibility;
        let (mut resends, mut looks, mut late_looks, mut told) = (0, 0_u32, 0_u32, false);
        loop {
            self.go_on()?;
            // Repeating the recorded request is the shortest way to an answer, where it can have no second effect.
            if let Some(sending) = sending
                && resends < RESENDS
                && may_repeat(&sending.call, sending.stamp..=sending.last_instant)
                && (self.stamp_is_good(sending)? || mutant::on(Mutant::StampRenewedOnRepeat))
            {
                resends += 1;
                self.pause(backoff(resends)).await?;
                if let Some(settled) = self.resend(addr, intent, sending).await? {
                    return Ok(settled);
                }
            }
            let seen_at = match self.look(intent).await? {
                // What was found is one of several copies, if several were sent: by an earlier run nobody knows.
                Look::Landed(Settled::Landed { id, outputs, how: Landed::Found })
                    if (resends > 0 || sending.is_none())
                        && may_repeat(&intent.call, intent.stamp..=intent.last_instant) =>
                {
                    return Ok(Settled::Landed { id, outputs, how: Landed::Repeated });
                }
                Look::Landed(settled) => return Ok(settled),
                Look::NoSign(at) => at,
            };
            looks += 1;
            if looks == 1 && mutant::on(Mutant::NoWaitForLastInstant) {
                not_before = seen_at.map_or(not_before, |at| at.plus(visibility));
            }
            late_looks += u32::from(seen_at.is_some_and(|at| at > not_before));
            let enough = if mutant::on(Mutant::AbsentAfterOneRead) { 1 } else { 2 };
            if late_looks >= enough {
                return Ok(Settled::NotLanded);
            }
            if !told {
                told = true;
                let why = format!("whether {} landed; it can't land any more after its last instant", intent.call.api);
                self.io.emit(Progress::Waiting { resource: addr.clone(), why });
            }
            self.pause(until(seen_at, not_before, visibility)).await?;
        }
    }

    /// Sends the recorded request once more.
    async fn resend(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        sending: &Sending,
    ) -> Result<Option<Settled>, ActionError> {
        let on = (&intent.target, intent.object.as_ref());
        let turn = self.turn(addr, on, &intent.call.api, Again::No).await?;
        // Once more: all that may have taken long.
        if !self.stamp_is_good(sending)? && !mutant::on(Mutant::StampRenewedOnRepeat) {
            turn.not_sent();
            return Ok(None);
        }
        let mut sending = sending.clone();
        if mutant::on(Mutant::StampRenewedOnRepeat) {
            sending = stamped_anew(&sending, self.io.now());
        }
        if mutant::on(Mutant::TokenMadeAnew)
            && let Recovery::Token { token, .. } = &sending.call.recovery
        {
            let anew: String = token.as_str().chars().rev().collect();
            sending.call = with_text(&sending.call, token.as_str(), &anew);
        }
        let answer = self.io.call(intent.target.clone(), sending).await;
        match &answer {
            Answer::Refused { refusal: Refusal::Throttled, .. } => turn.throttled(&self.io),
            Answer::Done { .. } | Answer::Refused { .. } | Answer::Unknown { .. } => drop(turn),
        }
        Ok(match answer {
            Answer::Done { id, outputs, .. } => Some(Settled::Landed { id, outputs, how: Landed::Repeated }),
            // Refused this time; what happened to the first one is still open, so it is looked for again.
            Answer::Refused { .. } | Answer::Unknown { .. } => None,
        })
    }

    async fn look(&self, intent: &Intent) -> Result<Look, ActionError> {
        let scope = match (&intent.call.effect, &intent.object, &intent.mark) {
            (Effect::Create { .. }, _, Some(mark)) if mutant::on(Mutant::AdoptByAddressAlone) => {
                Scope::Marked(mark.infra.clone())
            }
            (Effect::Create { .. }, _, Some(mark)) => Scope::Mark(mark.clone()),
            (Effect::Create { .. }, _, None) => match &intent.call.recovery {
                Recovery::NaturalKey { key } => Scope::Key(key.clone()),
                _ => return Err(ActionError::Bug(format!("{} has neither mark nor key", intent.call.api))),
            },
            (Effect::Set { .. } | Effect::Remove, Some(id), _) => Scope::Id(id.clone()),
            (Effect::Set { .. } | Effect::Remove, None, _) => {
                return Err(ActionError::Bug(format!("{} acts on no object", intent.call.api)));
            }
        };
        let type_name = &intent.call.type_name;
        let (reader, of) = (self.reader(), (&intent.target, type_name));
        let mut all = reader
            .all(of, &scope)
            .await
            .map_err(|reason| ActionError::Unsettled { api: intent.call.api.clone(), reason })?;
        if mutant::on(Mutant::AdoptByAddressAlone) && matches!(scope, Scope::Marked(_)) {
            let address = |mark: &Option<Mark>| mark.as_ref().map(|mark| mark.address.clone());
            all.objects.retain(|seen| address(&seen.mark) == address(&intent.mark));
        }
        // Not every API lists what carries a mark wherever it is: IAM does only below a path.
        if let (true, Effect::Create { fields, .. }, Some(mark)) =
            (all.objects.is_empty(), &intent.call.effect, &intent.mark)
            && matches!(intent.call.recovery, Recovery::Name { .. } | Recovery::NaturalKey { .. })
            && let Some(key) = self.taken_key(intent, fields)
        {
            let named = reader.all(of, &Scope::Key(key)).await;
            let named = named.map_err(|reason| ActionError::Unsettled { api: intent.call.api.clone(), reason })?;
            all.objects.extend(named.objects.into_iter().filter(|seen| seen.mark.as_ref() == Some(mark)));
        }
        let found = all.objects.first();
        let landed = match (&intent.call.effect, found) {
            (Effect::Create { computed, .. }, Some(observed)) => Some(Settled::Landed {
                id: Some(observed.id.clone()),
                outputs: outputs_of(observed, computed),
                how: Landed::Found,
            }),
            (Effect::Set { fields, mark }, Some(observed)) => {
                let schema = self.providers.schema(&intent.target.provider, type_name);
                let same = shows(schema, observed, fields)
                    && mark.as_ref().is_none_or(|mark| observed.mark.as_ref() == Some(mark));
                // What the answer would have told: a later call of the change may need it.
                let outputs = || schema.map(|schema| computed(schema, &observed.fields)).unwrap_or_default();
                same.then(|| Settled::Landed { id: None, outputs: outputs(), how: Landed::Found })
            }
            (Effect::Remove, Some(observed)) => (observed.readiness == Readiness::Going).then(|| Settled::Landed {
                id: None,
                outputs: Fields::new(),
                how: Landed::Found,
            }),
            (Effect::Remove, None) => {
                if mutant::on(Mutant::AbsentAfterOneRead) {
                    let (id, outputs, how) = (None, Fields::new(), Landed::Found);
                    return Ok(Look::Landed(Settled::Landed { id, outputs, how }));
                }
                // Not there in one read: once more after the visibility bound.
                self.pause(self.bounds(&intent.target)?.visibility).await?;
                let again = reader
                    .all(of, &scope)
                    .await
                    .map_err(|reason| ActionError::Unsettled { api: intent.call.api.clone(), reason })?;
                again.objects.is_empty().then(|| Settled::Landed {
                    id: None,
                    outputs: Fields::new(),
                    how: Landed::Found,
                })
            }
            (Effect::Create { .. } | Effect::Set { .. }, None) => None,
        };
        Ok(landed.map_or(Look::NoSign(all.server_time), Look::Landed))
    }
}

/// Whether the object has the fields that a call sets. What reads do not show may be so or not: then it does not.
fn shows(schema: Option<&Schema>, observed: &Observed, fields: &Fields) -> bool {
    fields.iter().all(|(name, wanted)| {
        let (mut wanted, mut has) = (wanted.clone(), observed.fields.get(name).cloned().unwrap_or(Value::Null));
        let Some(field) = schema.and_then(|schema| schema.field(name)) else { return wanted == has };
        field.normalise(&mut wanted);
        field.normalise(&mut has);
        field.reads == Reads::Shown && wanted == has
    })
}

/// Whether the API itself rules out that a request which is good from its stamp to its last instant has a second effect
/// when it is repeated.
fn may_repeat(call: &ReadyCall, good: RangeInclusive<ServerTime>) -> bool {
    match &call.recovery {
        Recovery::Token { token: _, term_seconds } => {
            let bound = Duration::from_millis(good.end().0.saturating_sub(good.start().0));
            token_outlasts_request(Duration::from_secs(*term_seconds), bound)
                || mutant::on(Mutant::TokenUsedPastItsTerm)
        }
        Recovery::Name { .. } | Recovery::NaturalKey { .. } | Recovery::Set | Recovery::Remove => true,
        // A second CreateVpc makes a second VPC.
        Recovery::Tag => mutant::on(Mutant::TagIsRepeated),
    }
}

/// How long to wait before the next look: to the end of the bound if the server's clock is known, in steps otherwise.
fn until(seen_at: Option<ServerTime>, not_before: ServerTime, visibility: Duration) -> Duration {
    let step = Duration::from_secs(5).min(visibility.max(Duration::from_millis(200)));
    match seen_at {
        Some(at) if at <= not_before => {
            let left = Duration::from_millis(not_before.0 - at.0 + 1);
            // Looks on the way find what lands late without waiting to the end.
            if left > step * 2 { step * 2 } else { left.max(Duration::from_millis(50)) }
        }
        // One read is never enough.
        Some(_) => Duration::from_millis(200),
        None => step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Wait};
    use crate::id::Token;
    use crate::schema::{Field, Grain, Kind, OnChange, Role};

    /// It may be so or not: a set that is taken for landed would leave the old value there for good.
    #[test]
    fn a_read_says_nothing_of_a_field_that_it_does_not_show() {
        const fn field(name: &'static str, reads: Reads) -> Field {
            let (role, on_change, grain) = (Role::Optional, OnChange::Update, Grain::Whole);
            Field { name, kind: Kind::Text, role, on_change, grain, reads }
        }
        const SCHEMA: Schema = Schema {
            type_name: "toy_thing",
            provider: "toy",
            version: 1,
            fields: &[field("size", Reads::Shown), field("script", Reads::Unread)],
        };
        let fields = |json: &str| serde_json::from_str::<Fields>(json).unwrap();
        let observed = Observed {
            id: "thing-1".parse().unwrap(),
            mark: None,
            fields: fields(r#"{"size":"large"}"#),
            readiness: Readiness::Ready,
        };
        let shows = |set: &str| shows(Some(&SCHEMA), &observed, &fields(set));
        assert!(shows(r#"{"size":"large"}"#));
        assert!(!shows(r#"{"size":"large","script":"new"}"#));
        assert!(!shows(r#"{"script":null}"#), "it may be set");
    }

    #[test]
    fn a_token_is_repeated_only_within_its_term() {
        let may = |term_seconds, bound_ms: u64| {
            let call = Call {
                api: "RunInstances".to_owned(),
                type_name: "aws_instance".parse().unwrap(),
                request: Value::Null,
                recovery: Recovery::Token { token: Token::new("0123456789abcdef").unwrap(), term_seconds },
                effect: Effect::Create { fields: Fields::new(), computed: Vec::new(), mark: None },
                wait: Wait::No,
            };
            may_repeat(&call, ServerTime(1_000_000)..=ServerTime(1_000_000 + bound_ms))
        };
        assert!(may(6, 3_000));
        assert!(!may(6, 3_001));
        assert!(!may(5, 3_000));
    }
}
