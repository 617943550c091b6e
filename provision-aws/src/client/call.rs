//! One call: sent once, with what its answer makes known.

use provision_core::call::{Answer, Effect, Mark, Refusal, Sending, ServerTime};
use provision_core::id::ObjectId;
use provision_core::schema::Kind;
use provision_core::value::{Fields, Value};

use super::Sdk;
use super::answer::{Failure, Reply};
use super::take::BadRequest;
use crate::errors::{Meaning, meaning};
use crate::provider;
use crate::table::Api;
use crate::table::reading::Detail;
use crate::table::shown::Shown;

/// Sends the call, once, signed with its stamp.
///
/// Where the API answers a create also with an object that stood there before, the mark of what it answered is read: that is
/// the one request which is not the call itself.
pub(crate) async fn call(sdk: &Sdk, sending: &Sending) -> Answer {
    match send(sdk, sending).await {
        Ok(Reply::Done { answer, server_time }) => {
            let answer = done(sending, &answer, server_time);
            let row = provider::row(&sending.call.type_name);
            match (&answer, &sending.call.effect, row.and_then(|row| row.reading.answers_what_stood_there())) {
                (Answer::Done { id: Some(id), .. }, Effect::Create { mark: Some(mark), .. }, Some(detail)) => {
                    whose(sdk, detail, id, mark).await.map_or(answer, |other| other.answer(server_time))
                }
                _ => answer,
            }
        }
        Ok(Reply::Failed { failure: Failure::Refused { refusal, code, message }, server_time }) => {
            Answer::Refused { refusal, code, message, server_time }
        }
        Ok(Reply::Failed { failure: Failure::Unknown { reason }, server_time: _ }) => Answer::Unknown { reason },
        Err(problem) => Answer::Refused {
            refusal: Refusal::Invalid,
            code: "BadRequest".to_owned(),
            message: format!("{}: {problem} (not sent)", sending.call.api),
            server_time: None,
        },
    }
}

async fn send(sdk: &Sdk, sending: &Sending) -> Result<Reply, BadRequest> {
    let api = provider::api(&sending.call.api).ok_or("this build does not know the call")?;
    let reply = api.send(sdk, &sending.call.request, Some(sending.stamp)).await?;
    Ok(match reply {
        Reply::Done { answer, server_time } => match unsuccessful(api, &answer) {
            Some(failure) => Reply::Failed { failure, server_time },
            None => Reply::Done { answer, server_time },
        },
        failed @ Reply::Failed { .. } => failed,
    })
}

/// The error in an answer that says of each object whether it was done: the answer itself says yes either way. We never
/// name more than one object.
fn unsuccessful(api: &Api, answer: &Value) -> Option<Failure> {
    let error = Shown(Some(answer)).list("Unsuccessful").next()?.at("Error");
    let (code, message) = (error.text("Code")?, error.text("Message").unwrap_or_default());
    let own = api.errors.iter().find(|(known, _)| *known == code).map(|(_, meaning)| Meaning::Refused(*meaning));
    Some(match own.unwrap_or_else(|| meaning(code, message, 400)) {
        Meaning::Refused(refusal) => Failure::Refused { refusal, code: code.to_owned(), message: message.to_owned() },
        Meaning::Unknown => Failure::Unknown { reason: format!("{code}: {message}") },
    })
}

/// Why what a create answered does not count as made by it.
enum Other {
    /// It carries another mark, or none.
    NotOurs(ObjectId),
    /// Nobody knows.
    Unread(String),
}

impl Other {
    fn answer(self, server_time: Option<ServerTime>) -> Answer {
        match self {
            Self::NotOurs(id) => Answer::Refused {
                refusal: Refusal::Exists,
                code: "AlreadyExists".to_owned(),
                message: format!("{id} stood there before, with the same settings"),
                server_time,
            },
            Self::Unread(reason) => Answer::Unknown { reason },
        }
    }
}

/// Whether the object carries the mark that the create set.
async fn whose(sdk: &Sdk, detail: &Detail, id: &ObjectId, mark: &Mark) -> Option<Other> {
    let request = (detail.request)(std::slice::from_ref(id));
    let unread = |why: &str| Some(Other::Unread(format!("it was answered with {id}, whose tags are not known: {why}")));
    let Some(api) = provider::api(request.api) else { return unread("this build does not know the read") };
    match api.send(sdk, &request.parameters, None).await {
        Ok(Reply::Done { answer, .. }) => match (detail.seen)(std::slice::from_ref(id), Shown(Some(&answer))).first() {
            Some(seen) if seen.mark.as_ref() == Some(mark) => None,
            Some(_) => Some(Other::NotOurs(id.clone())),
            None => unread("it is not visible yet"),
        },
        Ok(Reply::Failed { failure: Failure::Refused { code, message, .. }, .. }) => {
            unread(&format!("{code}: {message}"))
        }
        Ok(Reply::Failed { failure: Failure::Unknown { reason }, .. }) => unread(&reason),
        Err(problem) => unread(&problem),
    }
}

/// What the answer of a call that was done makes known.
fn done(sending: &Sending, answer: &Value, server_time: Option<ServerTime>) -> Answer {
    let row = provider::row(&sending.call.type_name);
    let answered = row.and_then(|row| row.answers.iter().find(|answered| answered.api == sending.call.api));
    let answer = Shown(Some(answer));
    let mut outputs = Fields::new();
    for (name, path) in answered.map(|answered| answered.outputs).unwrap_or_default() {
        if let Some(value) = answer.path(path).0 {
            let text = row.and_then(|row| row.schema.field(name)).is_some_and(|field| field.kind == Kind::Text);
            // A version is a number here and a text there.
            let value =
                value.as_int().filter(|_| text).map_or_else(|| value.clone(), |number| number.to_string().into());
            outputs.insert((*name).to_owned(), value);
        }
    }
    match sending.call.effect {
        Effect::Set { .. } | Effect::Remove => Answer::Done { id: None, outputs, server_time },
        Effect::Create { .. } => {
            let request = Shown(Some(&sending.call.request));
            outputs.extend(row.map(|row| row.reading.made(request, answer)).unwrap_or_default());
            let made = outputs.get("id").and_then(Value::as_text).map(str::to_owned);
            let shown = answered.and_then(|answered| answer.path(answered.id).first().as_text());
            // What is named by its maker has the name for its id, and is told no other.
            let named = answered.and_then(|answered| request.path(answered.id).as_text());
            let Some(id) = made.as_deref().or(shown).or(named) else {
                return Answer::Unknown { reason: "the answer has no id".to_owned() };
            };
            match ObjectId::new(id) {
                Ok(object) => {
                    outputs.insert("id".to_owned(), id.into());
                    Answer::Done { id: Some(object), outputs, server_time }
                }
                Err(bad) => Answer::Unknown { reason: format!("the answer's {bad}") },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_says_what_was_not_done_is_a_refusal() {
        let api = provider::api("DeleteVpcEndpoints").unwrap();
        let answer = |json: &str| unsuccessful(api, &serde_json::from_str(json).unwrap());
        let gone = r#"{"Unsuccessful":[{"Error":{"Code":"InvalidVpcEndpointId.NotFound","Message":"x"}}]}"#;
        assert!(matches!(answer(gone), Some(Failure::Refused { refusal: Refusal::NotFound, .. })));
        let odd = r#"{"Unsuccessful":[{"Error":{"Code":"InternalError"}}]}"#;
        assert!(matches!(answer(odd), Some(Failure::Unknown { .. })));
        assert!(answer(r#"{"Unsuccessful":[]}"#).is_none());
    }
}
